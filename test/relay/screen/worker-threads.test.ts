import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { keyEvent } from './input-messages.ts';
import { faults } from './faults.ts';
import { createMemoryMachine } from './memory-machine.ts';
import {
  attachViewer,
  createSharedScreenRig,
  setEncodings,
  updateRequest,
  type RigOptions,
} from './shared-screen-rig.ts';

const size = { width: 4, height: 2 };
const serverInitBytes = 24 + 'lab-100'.length;
const pictureBytes = 16 + 4 * size.width * size.height;
const desktopSize = -223;

let rigs: ReturnType<typeof createSharedScreenRig>[] = [];
afterEach(() => Promise.all(rigs.splice(0).map((rig) => rig.stop())));

function createRig(options: RigOptions = {}) {
  const rig = createSharedScreenRig(options);
  rigs = [...rigs, rig];
  return rig;
}

async function connect(screen: ReturnType<ReturnType<typeof createRig>['open']>['screen'], colour?: number) {
  const machine = createMemoryMachine();
  const connected = screen.connect(machine.upstream);
  machine.show(size, colour);
  await connected;
  return machine;
}

const lastPixel = (bytes: Buffer) => bytes.readUInt32LE(bytes.length - 4);

test('sixty-four viewers share one console, and all have its picture', async () => {
  const rig = createRig();
  const { screen } = rig.open();
  const machine = await connect(screen);
  const viewers = Array.from({ length: 64 }, () => attachViewer(screen));
  for (const viewer of viewers) viewer.start(updateRequest());
  for (const viewer of viewers)
    await eventually(
      'a viewer has the picture',
      () => viewer.received().length === serverInitBytes + pictureBytes,
    );
  for (const viewer of viewers) viewer.send(updateRequest(true));
  machine.draw(0x77_88_99);
  for (const viewer of viewers)
    await eventually('a viewer has the next picture', () => lastPixel(viewer.received()) === 0x77_88_99);
  expect(rig.readings).toMatchObject({ screens: 1, viewers: 64, pixels: 8 });
  expect(() => screen.attach({ control: false })).toThrow(expect.objectContaining({ code: 'screen_full' }));
});

test('a relay shares no more screens than its limit', async () => {
  const rig = createRig({ limits: { screens: 1 } });
  const { screen } = rig.open();
  expect(() => rig.open()).toThrow(expect.objectContaining({ code: 'screen_full' }));
  screen.end();
  rig.open();
});

describe.each([
  ['died', faults.die],
  ['hung', faults.hang],
])('a worker thread that has %s', (_, fault) => {
  test('loses the consoles of its screens, and another one goes on with their viewers', async () => {
    const clock = createFakeClock();
    const rig = createRig({ clock });
    const [first, second] = [rig.open(), rig.open()];
    const machine = await connect(first.screen);
    await connect(second.screen);
    const viewer = attachViewer(first.screen);
    viewer.start(setEncodings(0, desktopSize), updateRequest());
    await eventually('the picture', () => viewer.received().length === serverInitBytes + pictureBytes);
    viewer.send(updateRequest(true));
    const faulty = attachViewer(second.screen);
    faulty.start(setEncodings(fault));
    await eventually('the consoles are lost', () => {
      clock.advance(1000);
      return first.lost.length === 1 && second.lost.length === 1;
    });
    expect([first.lost[0]?.code, second.lost[0]?.code]).toStrictEqual(['console_lost', 'console_lost']);
    expect([viewer.ends, machine.link.destroyed, rig.counts.workersLost]).toStrictEqual([[], true, 1]);
    faulty.link.destroy();
    await connect(first.screen, 0x44_55_66);
    await eventually('the answer to the request', () => lastPixel(viewer.received()) === 0x44_55_66);
    // No second ServerInit, but the size, which may be another one.
    const bytes = viewer.received().subarray(serverInitBytes + pictureBytes);
    expect(bytes.subarray(0, 16)).toStrictEqual(
      Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 2, 0xff, 0xff, 0xff, 0x21]),
    );
    expect(bytes.length).toBe(16 + pictureBytes);
    await connect(second.screen);
  });
});

test('input reaches the machine while the worker thread hangs', async () => {
  const rig = createRig({ clock: createFakeClock() });
  const { screen } = rig.open();
  const machine = await connect(screen);
  const [faulty, viewer] = [attachViewer(screen), attachViewer(screen)];
  viewer.start();
  faulty.start(setEncodings(faults.hang));
  machine.takeSent();
  viewer.send(keyEvent(0x61, true));
  expect(machine.takeSent()).toStrictEqual(keyEvent(0x61, true));
});

test('a relay that was suspended does not lose its worker threads', async () => {
  const ticks: (() => void)[] = [];
  const clock = { ...createFakeClock(), every: (_: number, fn: () => void) => (ticks.push(fn), () => {}) };
  const rig = createRig({ clock });
  const { screen, lost } = rig.open();
  await connect(screen);
  const check = ticks[0];
  // The timer is due twice before the answer to the first check is read.
  check?.();
  check?.();
  await eventually('the checks were answered', () => rig.counts.reports === 2);
  check?.();
  check?.();
  await eventually('the checks were answered', () => rig.counts.reports === 4);
  expect([lost, rig.counts.workersLost]).toStrictEqual([[], 0]);
});

test('a viewer that can not change its size leaves when the next worker has a picture of another one', async () => {
  const rig = createRig({ clock: createFakeClock() });
  const { screen, lost } = rig.open();
  await connect(screen);
  const viewer = attachViewer(screen);
  viewer.start(updateRequest());
  await eventually('the picture', () => viewer.received().length === serverInitBytes + pictureBytes);
  const faulty = attachViewer(screen);
  faulty.start(setEncodings(faults.die));
  await eventually('the console is lost', () => lost.length === 1);
  faulty.link.destroy();
  const machine = createMemoryMachine();
  const connected = screen.connect(machine.upstream);
  machine.show({ width: 8, height: 8 });
  await connected;
  await eventually('the viewer leaves', () => viewer.ends.length === 1);
  expect(viewer.ends).toStrictEqual(['screen_moved']);
});

test('a picture server that throws loses its own screen only', async () => {
  const rig = createRig();
  const [first, second] = [rig.open(), rig.open()];
  await connect(first.screen);
  await connect(second.screen);
  const faulty = attachViewer(first.screen);
  faulty.start(setEncodings(faults.throw));
  await eventually('the console is lost', () => first.lost.length === 1);
  expect([first.lost[0]?.code, second.lost, rig.counts.workersLost]).toStrictEqual(['console_lost', [], 0]);
  faulty.link.destroy();
  await connect(first.screen);
  const viewer = attachViewer(second.screen);
  viewer.start(updateRequest());
  await eventually('the picture', () => viewer.received().length === serverInitBytes + pictureBytes);
});

test('a viewer whose message the picture server refuses ends alone', async () => {
  const rig = createRig();
  const { screen, lost } = rig.open();
  await connect(screen);
  const [viewer, other] = [attachViewer(screen), attachViewer(screen)];
  viewer.start(setEncodings(faults.refuse));
  other.start(updateRequest());
  await eventually('the viewer ends', () => viewer.ends.length === 1);
  await eventually('the picture', () => other.received().length === serverInitBytes + pictureBytes);
  expect([viewer.ends, other.ends, lost]).toStrictEqual([['viewer_protocol'], [], []]);
});

test('the work of a worker thread is measured', async () => {
  const clock = createFakeClock();
  const rig = createRig({ clock });
  const { screen } = rig.open();
  await connect(screen);
  await eventually('it was reported', () => {
    clock.advance(5000);
    return rig.counts.decode > 0 && rig.counts.encode > 0;
  });
});

test('a relay that stops moves the viewers of its screens, and connects no console any more', async () => {
  const rig = createRig();
  const { screen } = rig.open();
  await connect(screen);
  const viewer = attachViewer(screen);
  viewer.start();
  await rig.stop();
  expect(viewer.ends).toStrictEqual(['screen_moved']);
  const machine = createMemoryMachine();
  const connecting = rig.open().screen.connect(machine.upstream);
  await expect(connecting).rejects.toStrictEqual(expect.objectContaining({ code: 'draining' }));
  expect(machine.link.destroyed).toBe(true);
  await rig.stop();
  expect(rig.readings).toStrictEqual({ screens: 0, viewers: 0, thumbnails: 0, pixels: 0, cacheBytes: 0 });
});

test('two worker threads share the screens', async () => {
  const rig = createRig({ workers: 2, clock: createFakeClock() });
  const [first, second] = [rig.open(), rig.open()];
  await connect(first.screen);
  await connect(second.screen);
  const faulty = attachViewer(first.screen);
  faulty.start(setEncodings(faults.die));
  await eventually('the console is lost', () => first.lost.length === 1);
  expect(second.lost).toStrictEqual([]);
});
