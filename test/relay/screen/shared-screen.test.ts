import { PortholeError } from '@porthole/shared/errors';
import { messageOverhead } from '@porthole/relay/picture/worker-messages';
import { createMemoryMachine, extendedKeysUpdate, rawUpdate, serverInit } from './memory-machine.ts';
import { createSameThreadScreen } from './same-thread.ts';
import { attachViewer, updateRequest } from './shared-screen-rig.ts';

const size = { width: 4, height: 2 };
const serverInitBytes = 24 + 'lab-100'.length;
const pictureBytes = 16 + 4 * size.width * size.height;

async function connectedScreen() {
  const rig = createSameThreadScreen();
  const machine = createMemoryMachine();
  const connected = rig.screen.connect(machine.upstream);
  machine.show(size);
  await connected;
  return { ...rig, machine };
}

const failsWith = (code: string) => expect.objectContaining({ code });

describe('a console of a shared screen', () => {
  test('is connected when its first picture has arrived', async () => {
    const { screen } = createSameThreadScreen();
    const machine = createMemoryMachine();
    let connected = false;
    const connecting = screen.connect(machine.upstream).then(() => (connected = true));
    await Promise.resolve();
    expect(connected).toBe(false);
    machine.show(size);
    await connecting;
  });

  test('is asked again for its picture when its first update has no pixels, as that of Xvnc', async () => {
    const { screen, clock } = createSameThreadScreen();
    const machine = createMemoryMachine();
    const connecting = screen.connect(machine.upstream);
    machine.link.receive(serverInit(size));
    machine.takeSent();
    machine.link.receive(extendedKeysUpdate);
    clock.advance(100);
    // Incremental: Xvnc would answer another request for everything in the same way.
    expect(machine.takeSent()).toStrictEqual(Buffer.from([3, 1, 0, 0, 0, 0, 0, 4, 0, 2]));
    machine.link.receive(rawUpdate(size, 1));
    await connecting;
  });

  test('that ends before its first picture is reported by the promise only', async () => {
    const { screen, lost } = createSameThreadScreen();
    const machine = createMemoryMachine();
    const connecting = screen.connect(machine.upstream);
    machine.link.end(new PortholeError('console_timeout'));
    await expect(connecting).rejects.toStrictEqual(failsWith('console_timeout'));
    expect(lost).toStrictEqual([]);
    expect(machine.link.destroyed).toBe(true);
  });

  test('that sends garbage is lost, and another one can take its place', async () => {
    const { screen, lost, machine } = await connectedScreen();
    machine.link.receive(Buffer.alloc(100, 0xff));
    expect(lost).toStrictEqual(['proxmox_invalid_response']);
    expect(machine.link.destroyed).toBe(true);
    const garbage = createMemoryMachine();
    const connecting = screen.connect(garbage.upstream);
    garbage.link.receive(Buffer.concat([Buffer.alloc(20, 0xff), Buffer.alloc(4)]));
    await expect(connecting).rejects.toStrictEqual(failsWith('proxmox_invalid_response'));
    const next = createMemoryMachine();
    const connected = screen.connect(next.upstream);
    next.show(size);
    await connected;
    expect(lost).toHaveLength(1);
  });

  test('that is replaced before its first picture rejects, and nothing that it sends is used any more', async () => {
    const { screen } = createSameThreadScreen();
    const first = createMemoryMachine();
    const replaced = screen.connect(first.upstream);
    const next = createMemoryMachine();
    const connected = screen.connect(next.upstream);
    await expect(replaced).rejects.toStrictEqual(failsWith('console_lost'));
    expect(first.link.destroyed).toBe(true);
    first.show(size);
    next.show(size);
    await connected;
  });

  test('that has no picture yet rejects when the screen ends, with its error', async () => {
    const { screen } = createSameThreadScreen();
    const machine = createMemoryMachine();
    const connecting = screen.connect(machine.upstream);
    screen.end(new PortholeError('machine_stopped'));
    await expect(connecting).rejects.toStrictEqual(failsWith('machine_stopped'));
    expect(machine.link.destroyed).toBe(true);
  });

  test('is not read while many tiny reads wait in the worker', async () => {
    const rig = await connectedScreen();
    rig.holdPicture();
    for (let i = 0; i < 5000; i++) rig.machine.link.receive(Buffer.of(2));
    expect(rig.machine.link.isPaused()).toBe(true);
  });

  test('gets nothing that the worker still sends for the one before', async () => {
    const rig = createSameThreadScreen();
    const [first, next] = [createMemoryMachine(), createMemoryMachine()];
    rig.holdPicture();
    const replaced = rig.screen.connect(first.upstream);
    first.show(size);
    const connected = rig.screen.connect(next.upstream);
    await expect(replaced).rejects.toStrictEqual(failsWith('console_lost'));
    rig.releasePicture();
    expect(next.takeSent()).toStrictEqual(Buffer.of(1));
    next.show(size);
    await connected;
  });

  test('is refused when the screen has ended', async () => {
    const { screen } = await connectedScreen();
    screen.end();
    const machine = createMemoryMachine();
    await expect(screen.connect(machine.upstream)).rejects.toStrictEqual(failsWith('console_lost'));
    expect(machine.link.destroyed).toBe(true);
    expect(() => screen.attach({ control: true })).toThrow(failsWith('console_lost'));
  });

  test('gets a keep-alive message when nothing was sent in either direction for five minutes', async () => {
    const { machine, clock } = await connectedScreen();
    clock.advance(5 * 60_000);
    machine.takeSent();
    clock.advance(5 * 60_000);
    expect(machine.takeSent()).toStrictEqual(Buffer.from([3, 1, 0, 0, 0, 0, 0, 1, 0, 1]));
  });

  test('is lost if it answers no pings', async () => {
    const { machine, clock, lost } = await connectedScreen();
    machine.link.answersPings = false;
    clock.advance(60_000);
    expect(lost).toStrictEqual(['console_timeout']);
    expect(machine.link.destroyed).toBe(true);
  });

  test('is not read while the worker is more than a mebibyte behind', async () => {
    const rig = createSameThreadScreen();
    const machine = createMemoryMachine();
    const connected = rig.screen.connect(machine.upstream);
    machine.show({ width: 64, height: 64 });
    await connected;
    const large = rawUpdate({ width: 64, height: 64 }, 1);
    rig.holdPicture();
    for (let bytes = 0; bytes <= 1024 * 1024; bytes += large.length + messageOverhead) {
      expect(machine.link.isPaused()).toBe(false);
      machine.link.receive(large);
    }
    expect(machine.link.isPaused()).toBe(true);
    rig.releasePicture();
    expect(machine.link.isPaused()).toBe(false);
  });
});

describe('the viewers of a shared screen', () => {
  test('keep their picture when the console is lost, and go on with the next one', async () => {
    const { screen, machine, lost, clock } = await connectedScreen();
    const viewer = attachViewer(screen);
    viewer.start(updateRequest());
    expect(viewer.received().length).toBe(serverInitBytes + pictureBytes);
    machine.link.end();
    expect(lost).toStrictEqual([undefined]);
    viewer.send(updateRequest(true));
    const late = attachViewer(screen);
    late.start(updateRequest());
    expect(late.received().length).toBe(serverInitBytes + pictureBytes);
    const next = createMemoryMachine();
    const connected = screen.connect(next.upstream);
    next.show(size, 0x44_55_66);
    await connected;
    clock.advance(100);
    expect(viewer.received().length).toBe(serverInitBytes + 2 * pictureBytes);
    expect(viewer.received().readUInt32LE(viewer.received().length - 4)).toBe(0x44_55_66);
    expect([viewer.ends, late.ends]).toStrictEqual([[], []]);
  });

  test('end with the error of the screen, and its console is closed', async () => {
    const { screen, machine, clock } = await connectedScreen();
    const viewers = [attachViewer(screen), attachViewer(screen)];
    for (const viewer of viewers) viewer.start();
    screen.end(new PortholeError('machine_ended'));
    expect(viewers.map(({ ends }) => ends)).toStrictEqual([['machine_ended'], ['machine_ended']]);
    expect(machine.link.destroyed).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test('that have no handler yet hear of the end from their first one', async () => {
    const { screen } = await connectedScreen();
    const viewer = attachViewer(screen);
    screen.end();
    viewer.start();
    expect(viewer.ends).toStrictEqual([undefined]);
  });

  test('leave when their session destroys the link, without a word to it', async () => {
    const counts: number[] = [];
    const { screen } = createSameThreadScreen({
      events: { onUpstreamLost: () => {}, onViewers: (count) => void counts.push(count) },
    });
    const viewers = [attachViewer(screen), attachViewer(screen)];
    for (const viewer of viewers) viewer.start();
    viewers[0]?.link.destroy();
    viewers[0]?.link.destroy();
    expect(counts).toStrictEqual([1, 2, 1]);
    expect(viewers.map(({ ends }) => ends)).toStrictEqual([[], []]);
  });

  test.each([
    ['an unknown message', Buffer.of(99), 'viewer_protocol'],
    ['a text that is too long', Buffer.of(6, 0, 0, 0, 0, 0x20, 0, 0), 'viewer_message_too_big'],
  ])('end alone if they send %s', async (_, bytes, code) => {
    const { screen, machine, lost } = await connectedScreen();
    const [hostile, other] = [attachViewer(screen), attachViewer(screen)];
    other.start();
    hostile.start(bytes);
    hostile.send(updateRequest());
    expect([hostile.ends, other.ends, lost]).toStrictEqual([[code], [], []]);
    other.send(updateRequest());
    expect(other.received().length).toBe(serverInitBytes + pictureBytes);
    expect(machine.link.destroyed).toBe(false);
    expect(screen.viewers).toBe(1);
  });

  test('are at most as many as the limit', async () => {
    const { screen } = createSameThreadScreen({ viewersPerScreen: 2 });
    const first = attachViewer(screen);
    attachViewer(screen);
    expect(() => screen.attach({ control: false })).toThrow(failsWith('screen_full'));
    first.link.destroy();
    attachViewer(screen);
  });

  test('cost no timers of their own', async () => {
    const { screen, clock } = await connectedScreen();
    const before = clock.pending();
    for (let i = 0; i < 64; i++) attachViewer(screen).start(updateRequest());
    // The screen's, until it may ask the machine again.
    expect(clock.pending()).toBe(before + 1);
    clock.advance(50);
    expect(clock.pending()).toBe(before);
  });

  test('hear the bell, but only behind ServerInit', async () => {
    const { screen, machine } = await connectedScreen();
    const [viewer, silent] = [attachViewer(screen), attachViewer(screen)];
    viewer.start();
    silent.link.setHandler({ onBytes: () => expect(true).toBe(false), onEnded: () => {} });
    machine.link.receive(Buffer.of(2));
    expect(viewer.received().subarray(serverInitBytes)).toStrictEqual(Buffer.of(2));
  });

  test('are not read while the worker is behind, and are again when it is replaced', async () => {
    const rig = await connectedScreen();
    const viewer = attachViewer(rig.screen, { control: false });
    viewer.start();
    rig.holdPicture();
    for (let i = 0; i < 5000; i++) viewer.send(updateRequest(true));
    expect(viewer.link.buffered).toBeGreaterThan(1024 * 1024);
    expect(viewer.drains()).toBe(0);
    rig.losePicture();
    expect(viewer.link.buffered).toBe(0);
    expect(viewer.drains()).toBe(1);
  });

  test('get nothing while they are paused, and then all that was on its way', async () => {
    const { screen, machine, toPicture, clock } = await connectedScreen();
    const viewer = attachViewer(screen);
    viewer.start(updateRequest());
    clock.advance(100);
    const before = viewer.received().length;
    viewer.link.pause();
    viewer.send(updateRequest());
    machine.link.receive(Buffer.of(2));
    expect(viewer.received().length).toBe(before);
    expect(toPicture.filter(({ type }) => type === 'pause')).toHaveLength(1);
    viewer.link.resume();
    expect(viewer.received().length).toBe(before + 1 + pictureBytes);
    machine.link.drain();
    expect(viewer.link.buffered).toBe(0);
  });

  test('that never read have a bounded amount waiting, however much they request', async () => {
    const rig = createSameThreadScreen();
    const machine = createMemoryMachine();
    const connected = rig.screen.connect(machine.upstream);
    const large = { width: 256, height: 256 };
    machine.show(large);
    await connected;
    const viewer = attachViewer(rig.screen);
    viewer.link.send(Buffer.of(1));
    for (let i = 0; i < 30; i++) {
      viewer.send(updateRequest());
      machine.draw(i);
      rig.clock.advance(1000);
    }
    const updates = rig.toViewer.length;
    expect(updates).toBeGreaterThan(3);
    expect(updates).toBeLessThan(10);
    for (let i = 0; i < 5000; i++) machine.link.receive(Buffer.of(2));
    viewer.read();
    expect(viewer.received().length).toBeLessThan(3 * 1024 * 1024);
    // It goes on from here.
    rig.clock.advance(1000);
    expect(rig.toViewer.length).toBeGreaterThan(updates);
  });

  test('that ask for another size get the answer of the machine, in order', async () => {
    const { screen, machine, toPicture, cause } = await connectedScreen();
    const [first, second] = [attachViewer(screen), attachViewer(screen)];
    first.start();
    second.start();
    const resize = Buffer.from([251, 0, 0, 8, 0, 8, 0, 0]);
    machine.takeSent();
    first.send(resize);
    second.send(resize);
    expect(machine.takeSent()).toStrictEqual(Buffer.concat([resize, resize]));
    for (const status of [0, 3, 0]) cause({ type: 'resizeStatus', status });
    expect(toPicture.filter(({ type }) => type === 'resizeAnswered')).toStrictEqual([
      { type: 'resizeAnswered', viewer: 1, status: 0 },
      { type: 'resizeAnswered', viewer: 2, status: 3 },
    ]);
  });

  test('get pongs at once, because the screen watches the machine itself', async () => {
    const { screen, machine } = await connectedScreen();
    const viewer = attachViewer(screen);
    machine.link.end();
    let pongs = 0;
    viewer.link.ping(() => pongs++);
    expect(pongs).toBe(1);
  });
});

test('a picture beyond the megapixels of the relay makes the console useless', async () => {
  const { ScreenTotals } = await import('@porthole/relay/screen/screen-limits');
  const totals = new ScreenTotals({ screens: 2, viewersPerScreen: 1, megapixels: 1 });
  const other = {};
  totals.add(other);
  totals.resize(other, { width: 1000, height: 600 });
  const rig = createSameThreadScreen({ totals });
  totals.add(rig.screen);
  const machine = createMemoryMachine();
  const connecting = rig.screen.connect(machine.upstream);
  machine.show({ width: 1000, height: 500 });
  await expect(connecting).rejects.toStrictEqual(failsWith('screen_full'));
  expect(machine.link.destroyed).toBe(true);
  expect(totals.pixels).toBe(600_000);
  expect(() => totals.add({})).toThrow(failsWith('screen_full'));
});
