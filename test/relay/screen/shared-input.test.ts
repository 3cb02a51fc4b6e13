import fc from 'fast-check';
import { createInputDevices, extendedKeyEvent, keyEvent, pointerEvent } from './input-messages.ts';
import { createMemoryMachine, extendedKeysUpdate } from './memory-machine.ts';
import { createSameThreadScreen } from './same-thread.ts';
import { attachViewer, type AttachedViewer } from './shared-screen-rig.ts';

const size = { width: 4, height: 2 };

async function connectedScreen({ extendedKeys = true } = {}) {
  const rig = createSameThreadScreen();
  const machine = createMemoryMachine();
  const connected = rig.screen.connect(machine.upstream);
  machine.show(size);
  if (extendedKeys) machine.link.receive(extendedKeysUpdate);
  await connected;
  machine.takeSent();
  return { ...rig, machine };
}

type Step =
  /** A message, of which the last bytes are not delivered yet. */
  | { readonly type: 'input'; readonly viewer: number; readonly bytes: Buffer; readonly held: number }
  | { readonly type: 'deliver'; readonly viewer: number; readonly bytes: number }
  | { readonly type: 'control'; readonly viewer: number; readonly control: boolean }
  | { readonly type: 'leave'; readonly viewer: number }
  | { readonly type: 'reconnect' };

/** Few viewers and keys, so that two viewers hold the same ones. */
const viewer = fc.integer({ min: 0, max: 1 });
const key = fc.integer({ min: 1, max: 2 });
const arbitraryInput = fc.oneof(
  fc.tuple(key, fc.boolean()).map(([keysym, down]) => keyEvent(keysym, down)),
  fc.tuple(key, fc.boolean()).map(([scancode, down]) => extendedKeyEvent(scancode, down)),
  fc.integer({ min: 0, max: 7 }).map((buttons) => pointerEvent(buttons)),
);
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      type: fc.constant('input' as const),
      viewer,
      bytes: arbitraryInput,
      held: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('deliver' as const),
      viewer,
      bytes: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('control' as const), viewer, control: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), viewer }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reconnect' as const }) },
);
const arbitrarySteps = fc.array(arbitraryStep, { minLength: 10, maxLength: 80 });

/** What a viewer holds, as the machine should see it. Its messages count when their last byte is delivered. */
class ModelViewer {
  readonly link: AttachedViewer;
  readonly #queue: { readonly bytes: Buffer; left: number; void: boolean }[] = [];
  readonly keys = new Set<string>();
  buttons = 0;
  control = true;

  constructor(link: AttachedViewer) {
    this.link = link;
  }

  queue(bytes: Buffer): void {
    this.#queue.push({ bytes, left: bytes.length, void: false });
  }

  deliverAllBut(count: number): void {
    const waiting = this.#queue.reduce((sum, { left }) => sum + left, 0);
    this.deliver(waiting - Math.min(waiting, count));
  }

  deliver(count: number): void {
    const chunk: Buffer[] = [];
    for (let left = count; left > 0;) {
      const [next] = this.#queue;
      if (!next) break;
      const from = next.bytes.length - next.left;
      const size = Math.min(left, next.left);
      chunk.push(next.bytes.subarray(from, from + size));
      next.left -= size;
      left -= size;
      if (next.left > 0) break;
      this.#queue.shift();
      if (this.control && !next.void) this.#apply(next.bytes);
    }
    this.link.send(...chunk);
  }

  setControl(control: boolean): void {
    const [next] = this.#queue;
    if (this.control && !control && next && next.left < next.bytes.length) next.void = true;
    this.control = control;
    if (!control) this.release();
    this.link.setControl(control);
  }

  release(): void {
    this.keys.clear();
    this.buttons = 0;
  }

  #apply(bytes: Buffer): void {
    const devices = createInputDevices();
    devices.take(bytes);
    if (bytes[0] === 5) this.buttons = devices.buttons();
    const name =
      bytes[0] === 4 ? `keysym ${bytes.readUInt32BE(4)}` : `scancode ${bytes.readUInt32BE(8 % bytes.length)}`;
    if (bytes[0] === 5) return;
    if (devices.keys().length > 0) this.keys.add(name);
    else this.keys.delete(name);
  }
}

describe('the input of the viewers of a shared screen', () => {
  test('leaves exactly those keys and buttons pressed at the machine that viewers with control hold', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrarySteps, async (steps) => {
        const { screen, machine: first } = await connectedScreen();
        let machine = first;
        let devices = createInputDevices();
        const attach = () => {
          const attached = attachViewer(screen);
          attached.start();
          return new ModelViewer(attached);
        };
        const viewers = [attach(), attach()];
        machine.takeSent();
        const check = () => {
          devices.take(machine.takeSent());
          expect(devices.keys()).toStrictEqual([...new Set(viewers.flatMap(({ keys }) => [...keys]))].sort());
          expect(devices.buttons()).toBe(viewers.reduce((all, { buttons }) => all | buttons, 0));
        };
        for (const step of steps) {
          switch (step.type) {
            case 'input':
              viewers[step.viewer]?.queue(step.bytes);
              viewers[step.viewer]?.deliverAllBut(step.held);
              break;
            case 'deliver':
              viewers[step.viewer]?.deliver(step.bytes);
              break;
            case 'control':
              viewers[step.viewer]?.setControl(step.control);
              break;
            case 'leave':
              viewers[step.viewer]?.link.link.destroy();
              viewers[step.viewer] = attach();
              break;
            case 'reconnect': {
              const before = machine;
              machine = createMemoryMachine();
              const connected = screen.connect(machine.upstream);
              devices.take(before.takeSent());
              expect([devices.keys(), devices.buttons()]).toStrictEqual([[], 0]);
              machine.show(size);
              machine.link.receive(extendedKeysUpdate);
              await connected;
              for (const each of viewers) each.release();
              devices = createInputDevices();
              skipSetup(machine.takeSent());
            }
          }
          check();
        }
        for (const each of viewers) each.link.link.destroy();
        devices.take(machine.takeSent());
        expect([devices.keys(), devices.buttons()]).toStrictEqual([[], 0]);
        screen.end();
      }),
      { numRuns: 300 },
    );
  });

  /** What the picture server sends to a new machine, and the releases of what the console before had pressed. */
  function skipSetup(sent: Buffer): void {
    expect(sent[0]).toBe(1);
  }

  test('of a message that has arrived in part when control is taken away never reaches the machine', async () => {
    const { screen, machine } = await connectedScreen();
    const viewer = attachViewer(screen);
    viewer.start(keyEvent(0x61, true).subarray(0, 7));
    viewer.setControl(false);
    viewer.setControl(true);
    viewer.send(keyEvent(0x61, true).subarray(7));
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
    viewer.send(keyEvent(0x62, true));
    expect(machine.takeSent()).toStrictEqual(keyEvent(0x62, true));
  });

  test('is dropped without control, and so are messages that the screen does not offer', async () => {
    const { screen, machine } = await connectedScreen();
    const watcher = attachViewer(screen, { control: false });
    const plainText = Buffer.from([6, 0, 0, 0, 0, 0, 0, 1, 0x61]);
    const setDesktopSize = Buffer.from([251, 0, 0, 8, 0, 8, 0, 0]);
    const input = [
      keyEvent(0x61, true),
      extendedKeyEvent(30, true),
      pointerEvent(1),
      plainText,
      setDesktopSize,
    ];
    watcher.start(...input);
    expect(machine.takeSent()).toStrictEqual(Buffer.alloc(0));
    const fence = Buffer.from([248, 0, 0, 0, 0, 0, 0, 0, 1, 9]);
    const continuousUpdates = Buffer.from([150, 1, 0, 0, 0, 0, 0, 8, 0, 8]);
    const controller = attachViewer(screen);
    controller.start(fence, continuousUpdates, Buffer.of(250, 0, 1, 2), ...input);
    expect(machine.takeSent()).toStrictEqual(Buffer.concat(input));
  });

  test('waits for the first picture of a console, because nothing may precede the messages that open it', async () => {
    const { screen } = createSameThreadScreen();
    const viewer = attachViewer(screen);
    viewer.start(keyEvent(0x61, true));
    const machine = createMemoryMachine();
    const connected = screen.connect(machine.upstream);
    viewer.send(keyEvent(0x62, true));
    expect(machine.takeSent()).toStrictEqual(Buffer.of(1));
    machine.show(size);
    await connected;
    machine.takeSent();
    viewer.send(keyEvent(0x63, true));
    expect(machine.takeSent()).toStrictEqual(keyEvent(0x63, true));
  });

  test('uses plain key events while the machine has not announced extended ones, and releases keys as they were pressed', async () => {
    const { screen, machine } = await connectedScreen({ extendedKeys: false });
    const viewer = attachViewer(screen);
    viewer.start(extendedKeyEvent(30, true, 0x61), extendedKeyEvent(42, true));
    expect(machine.takeSent()).toStrictEqual(keyEvent(0x61, true));
    machine.link.receive(extendedKeysUpdate);
    machine.takeSent();
    viewer.send(extendedKeyEvent(30, false, 0x61));
    expect(machine.takeSent()).toStrictEqual(keyEvent(0x61, false));
  });

  test('releases the keys that a lost console had pressed at the next one, because the machine may not have noticed', async () => {
    const { screen, machine, lost } = await connectedScreen();
    const viewer = attachViewer(screen);
    viewer.start(extendedKeyEvent(42, true), keyEvent(0x61, true), pointerEvent(1, 3, 4));
    machine.link.end();
    expect(lost).toStrictEqual([undefined]);
    const next = createMemoryMachine();
    const connected = screen.connect(next.upstream);
    next.show(size);
    next.link.receive(extendedKeysUpdate);
    await connected;
    const releases = [keyEvent(0x61, false), pointerEvent(0, 3, 4)];
    for (const release of releases) expect(next.sent().includes(release)).toBe(true);
  });

  test('has no more keys pressed per viewer than a keyboard has', async () => {
    const { screen, machine } = await connectedScreen();
    const viewer = attachViewer(screen);
    viewer.start(...Array.from({ length: 1000 }, (_, i) => keyEvent(i + 1, true)));
    expect(machine.takeSent().length).toBe(8 * 256);
    viewer.link.destroy();
    expect(machine.takeSent().length).toBe(8 * 256);
  });

  test('has one byte for the buttons, also if a viewer sends two', async () => {
    const { screen, machine } = await connectedScreen();
    const viewer = attachViewer(screen);
    const setEncodings = Buffer.from([2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xc4]);
    viewer.start(setEncodings, Buffer.from([5, 0x81, 0, 1, 0, 2, 1]));
    expect(machine.takeSent()).toStrictEqual(pointerEvent(1));
  });
});
