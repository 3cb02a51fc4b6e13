import { eventually } from '../../eventually.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { describeWith } from '../../needs.ts';
import { createSharedScreenRig } from './shared-screen-rig.ts';
import { bridgeSharedViewer, dialGuest, openSharedViewer } from './shared-viewer.ts';
import { openTigervncViewer, type TigervncViewer } from './tigervnc-viewer.ts';

describeWith(
  'qemu',
  'xvnc',
  'vncviewer',
)("a shared screen of real QEMU in TigerVNC's viewer", () => {
  const guest = createQemuGuest({ name: 'vm-100' });
  const rig = createSharedScreenRig({ realWorker: true });
  const viewers: TigervncViewer[] = [];
  beforeAll(async () => {
    await guest.start();
    await guest.booted();
  }, 60_000);
  afterAll(async () => {
    for (const viewer of viewers) await viewer.close();
    await rig.stop();
    await guest.close();
  });

  test("shows QEMU's screendump pixel by pixel, in Tight and in Hextile", async () => {
    const { screen } = rig.open();
    await screen.connect(await dialGuest(guest));
    const { width, height } = await guest.screendump();
    const opened = await Promise.all(
      (['Tight', 'Hextile'] as const).map((encoding) =>
        openTigervncViewer({
          width,
          height,
          encoding,
          serve: (connection) => void bridgeSharedViewer(screen, connection),
        }),
      ),
    );
    viewers.push(...opened);
    const typist = await openSharedViewer(screen);
    typist.rfb.type('an independent viewer');
    for (const viewer of viewers)
      await eventually('the viewer shows what QEMU shows', async () => {
        const [shown, truth] = [await viewer.picture(), await guest.screendump()];
        return shown.data.equals(truth.data);
      });
    typist.leave();
    screen.end();
  });
});
