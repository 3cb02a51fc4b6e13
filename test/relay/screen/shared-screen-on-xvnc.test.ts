import { encodings as relayEncodings } from '@porthole/relay/rfb/encodings';
import { eventually } from '../../eventually.ts';
import { encodings, openRfb } from '../../fakes/guests/rfb-client.ts';
import { createXvncGuest } from '../../fakes/guests/xvnc.ts';
import { describeWith } from '../../needs.ts';
import { u16 } from '../rfb/bytes.ts';
import { attachViewer, createSharedScreenRig, setEncodings, updateRequest } from './shared-screen-rig.ts';
import { dialGuest, openSharedViewer } from './shared-viewer.ts';

const size = { width: 800, height: 600 };

describeWith('xvnc')('a shared screen of Xvnc, which refuses other sizes', () => {
  const guest = createXvncGuest({ name: 'student-x', ...size });
  const rig = createSharedScreenRig({ realWorker: true });
  let open: { end(): void }[] = [];
  beforeAll(() => guest.start(), 60_000);
  afterEach(() => {
    for (const each of open.splice(0)) each.end();
  });
  afterAll(async () => {
    await rig.stop();
    await guest.close();
  });

  async function openScreen() {
    const { screen } = rig.open();
    open = [...open, screen];
    await screen.connect(await dialGuest(guest));
    return screen;
  }

  test('gets the keys of a viewer, plain and extended ones, and all viewers see what they do', async () => {
    const screen = await openScreen();
    const wanted = [encodings.raw, encodings.desktopSize, encodings.qemuExtendedKey];
    const [typist, other] = [
      await openSharedViewer(screen, { encodings: wanted }),
      await openSharedViewer(screen, { encodings: wanted }),
    ];
    other.rfb.requestUpdate(false);
    await other.rfb.nextUpdate();
    const before = Buffer.from(other.rfb.framebuffer);
    typist.rfb.extendedKeyEvent(0x61, 0x1e, true);
    typist.rfb.extendedKeyEvent(0x61, 0x1e, false);
    typist.rfb.type('b');
    await guest.setPassword('password', 30);
    const direct = await openRfb(await guest.connect(), { password: 'password' });
    open = [...open, { end: () => direct.close() }];
    await eventually('all have the same picture, which the keys have changed', async () => {
      for (const rfb of [direct, typist.rfb, other.rfb]) {
        rfb.requestUpdate(false);
        await rfb.nextUpdate();
      }
      return (
        !other.rfb.framebuffer.equals(before) &&
        other.rfb.framebuffer.equals(direct.framebuffer) &&
        typist.rfb.framebuffer.equals(direct.framebuffer)
      );
    });
  });

  test('refuses another size to the viewer that asks for it, and the others do not hear of that', async () => {
    const screen = await openScreen();
    const viewers = [attachViewer(screen), attachViewer(screen)] as const;
    for (const viewer of viewers) {
      viewer.start(
        setEncodings(relayEncodings.tight, relayEncodings.raw, relayEncodings.extendedDesktopSize),
      );
      await eventually('ServerInit', () => viewer.received().length > 0);
      // The first update has the size only.
      await eventually('the picture', () => {
        viewer.send(updateRequest(true));
        return viewer.received().length > 1000;
      });
    }
    const setDesktopSize = Buffer.concat([
      Buffer.of(251, 0),
      u16(1024),
      u16(768),
      Buffer.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      u16(1024),
      u16(768),
      Buffer.alloc(4),
    ]);
    const refusal = Buffer.concat([
      Buffer.of(0, 1, 0, 1),
      u16(size.width),
      u16(size.height),
      Buffer.of(0xff, 0xff, 0xfe, 0xcc),
    ]);
    viewers[0].send(setDesktopSize);
    await eventually('the refusal', () => viewers[0].received().includes(refusal));
    expect(viewers[1].received().includes(refusal)).toBe(false);
  });
});
