import { eventually } from '../eventually.ts';
import { noiseSector } from '../fakes/guests/noise-sector.ts';
import { createQemuGuest } from '../fakes/guests/qemu.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, type BrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium', 'qemu')('viewers of a machine that shows a photograph', () => {
  const guest = createQemuGuest({ name: 'student-vm', bootSector: noiseSector() });
  const browser = useBrowser();
  let stack: Stack;
  let viewers: BrowserUser[] = [];
  beforeAll(async () => {
    stack = await startStack({ machines: [{ vmid: 100, node: 'pve1', name: 'student-vm', guest }] });
    await eventually('the machine shows noise', async () => {
      const { height, data } = await guest.screendump();
      return height === 480 && data.subarray(-1000).some((value) => value > 0);
    });
  }, 60_000);
  afterEach(async () => {
    for (const viewer of viewers.splice(0)) await viewer.close();
  });
  afterAll(() => stack.stop());

  /** In a browser context of its own, because a hidden tab asks for fewer pictures. */
  async function open(mode?: 'view'): Promise<BrowserUser> {
    const viewer = await openBrowserUser(browser(), stack.origin);
    viewers = [...viewers, viewer];
    await viewer.signIn('student');
    await viewer.openConsole(100, mode);
    return viewer;
  }

  async function exact(viewer: BrowserUser): Promise<boolean> {
    const [shown, truth] = [await viewer.picture(), await guest.screendump()];
    return shown.width === truth.width && shown.data.equals(truth.data);
  }

  test('get JPEG while it changes, and its exact pixels when it is quiet, also in another size', async () => {
    const first = await open();
    const before = await first.picture();
    const others = [await open(), await open('view')];
    await eventually('the first viewer has moved', () => first.sockets() === 2);
    await first.waitForState('open');
    const jpegs = () => jpegRectangles(first.received.frames);
    const jpegsBefore = jpegs();
    await first.type('x');
    await eventually(
      'the picture is another one',
      async () => !(await first.picture()).data.equals(before.data),
    );
    for (const viewer of [first, ...others]) await eventually('the picture is exact', () => exact(viewer));
    expect(jpegs()).toBeGreaterThan(jpegsBefore);
    const socketsBefore = viewers.map((viewer) => viewer.sockets());
    await first.type('8');
    await eventually('the machine has another size', async () => (await guest.screendump()).width === 800);
    for (const viewer of viewers) await eventually('the picture is exact', () => exact(viewer));
    expect(viewers.map((viewer) => viewer.sockets())).toEqual(socketsBefore);
    expect([await guest.viewers(), stack.proxmox.openConsoles(100)]).toEqual([1, 1]);
    expect(viewers.flatMap(({ faults }) => faults)).toEqual([]);
  }, 90_000);
});

/** Counts the beginnings of JPEG files in what a page received. */
function jpegRectangles(frames: BrowserUser['received']['frames']): number {
  let count = 0;
  for (const frame of frames) {
    if (typeof frame === 'string') continue;
    for (let at = frame.indexOf('ffd8ffdb', 0, 'hex'); at >= 0; at = frame.indexOf('ffd8ffdb', at + 4, 'hex'))
      count++;
  }
  return count;
}
