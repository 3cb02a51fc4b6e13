import { setTimeout as pause } from 'node:timers/promises';
import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { createQemuGuest } from '../../fakes/guests/qemu.ts';
import { describeWith } from '../../needs.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { keys } from '../session/resume-rig.ts';
import type { LiveViewer } from '../sharing/live-viewer.ts';
import { startSharingRelays, viewerAt } from '../sharing/sharing-rig.ts';

const machine = { cluster: 'lab', vmid: 100 };
/** `npm run rehearse` uses 1,000. */
const changes = Number(process.env['CHANGES'] ?? 200);
/** So many of them are found by polling only. */
const silentChanges = 6;
/** QEMU handles one key event of VNC in ten milliseconds (key-delay-ms), and drops what its queue cannot take. */
const halfKeyMs = 12;

/** What QEMU got, in order: a key went down or up. */
interface KeyEvent {
  readonly key: string;
  readonly down: boolean;
}

function heldKeys(events: readonly KeyEvent[]): readonly string[] {
  const down = new Set<string>();
  for (const event of events)
    if (event.down) down.add(event.key);
    else down.delete(event.key);
  return [...down];
}

describeWith('qemu')('control of real QEMU', () => {
  const start = useRelayRigs();
  const guest = createQemuGuest({ name: 'vm-100' });
  let viewers: LiveViewer[] = [];
  let stopTyping: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stopTyping.splice(0)) await stop();
    await Promise.all(viewers.splice(0).map((viewer) => viewer.close()));
  });
  afterAll(() => guest.close());

  let read = 0;
  const events: KeyEvent[] = [];
  const counts = new Map<string, number>();

  async function keyEvents(): Promise<readonly KeyEvent[]> {
    const lines = await guest.inputs();
    for (; read < lines.length; read++) {
      const [, key = '', down = ''] = /qcode ([a-z]+), down (\d)/.exec(lines[read] ?? '') ?? [];
      if (!key) continue;
      events.push({ key, down: down === '1' });
      if (down === '1') counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return events;
  }

  async function pressed(wanted: readonly string[]): Promise<number> {
    await keyEvents();
    return wanted.reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
  }

  function controlsOf({ store }: RelayRig, withSignals = true) {
    const common = { keys, random: systemRandom };
    const signals = createConsoleSignals({ bus: store.signals, ...common, clock: systemClock });
    return createMachineControls({
      ...common,
      records: store.records,
      signals: withSignals ? signals : { publish: async () => {} },
    });
  }

  /**
   * Types without a break, half a key at a time: one key while the page believes that its input passes, and another one
   * while it has been told that it does not.
   */
  function keepTyping(viewer: LiveViewer, believes: (viewer: LiveViewer) => boolean, names: string) {
    const abort = new AbortController();
    const run = async () => {
      while (!abort.signal.aborted) {
        const keysym = names.codePointAt(believes(viewer) ? 0 : 1) ?? 0;
        viewer.rfb?.keyEvent(keysym, true);
        await pause(halfKeyMs);
        viewer.rfb?.keyEvent(keysym, false);
        await pause(halfKeyMs);
      }
    };
    const done = run();
    return () => {
      abort.abort();
      return done;
    };
  }

  const lastControl = ({ client }: LiveViewer) =>
    client?.messages.findLast(({ type }) => type === 'controlled' || type === 'uncontrolled');

  test(`changes hands ${changes} times while both sides type at two relays, and no key of the wrong side arrives or stays down`, async () => {
    const guests = [{ vmid: 100, node: 'pve1', type: 'qemu', name: 'vm-100', guest, running: true }] as const;
    const relays = await startSharingRelays(start, 2, { proxmox: { guests: [...guests] } });
    const [rig] = relays;
    if (!rig) throw new Error('there is no relay');
    await guest.booted();
    const controlsWithSignals = controlsOf(rig);
    const silentControls = controlsOf(rig, false);
    const student = viewerAt(relays, 0, { sessionId: 'student-1' });
    await student.pictured;
    const ina = { id: 'ina', name: 'Ina', groups: [] };
    const instructor = viewerAt(relays, 1, { sessionId: 'ina-1', user: ina, inputWhenTaken: true });
    await instructor.pictured;
    viewers = [student, instructor];
    await eventually(
      'both share the screen',
      () => student.rfb !== undefined && instructor.rfb !== undefined,
    );

    const random = createSeededRandom(1);
    stopTyping = [
      keepTyping(student, (viewer) => lastControl(viewer)?.type !== 'controlled', 'ac'),
      keepTyping(instructor, (viewer) => lastControl(viewer)?.type === 'controlled', 'bd'),
    ];
    for (let change = 0; change < changes; change++) {
      const takes = change % 2 === 0;
      const controls = change < changes - silentChanges ? controlsWithSignals : silentControls;
      const own = takes ? ['b', 'd'] : ['a', 'c'];
      const before = await pressed(own);
      if (takes) await controls.take(machine, { version: 1, userId: ina.id, sessionId: 'ina-1' });
      else expect(await controls.release(machine, { userId: ina.id })).toBe(true);
      const wanted = takes ? 'controlled' : 'uncontrolled';
      await eventually('both pages know it', () =>
        [student, instructor].every((viewer) => lastControl(viewer)?.type === wanted),
      );
      await eventually('the other side types', async () => (await pressed(own)) > before);
      // A random moment in the typing of both.
      for (let turns = random(20); turns > 0; turns--) await new Promise(setImmediate);
    }
    for (const stop of stopTyping.splice(0)) await stop();
    await controlsWithSignals.take(machine, { version: 1, userId: ina.id, sessionId: 'ina-1' });
    await eventually('the student is held back', () => lastControl(student)?.type === 'controlled');

    await eventually('no key is down', async () => heldKeys(await keyEvents()).length === 0);
    const down = new Set<string>();
    const blocks: string[] = [];
    for (const { key, down: isDown } of await keyEvents()) {
      if (!isDown) {
        down.delete(key);
        continue;
      }
      const side = key === 'a' || key === 'c' ? 'student' : 'instructor';
      const isOther = (each: string) => (side === 'student' ? 'bd' : 'ac').includes(each);
      expect([...down].filter(isOther)).toEqual([]);
      down.add(key);
      if (blocks.length > 0 && (blocks.at(-1)?.startsWith(side) ?? false))
        blocks[blocks.length - 1] += ` ${key}`;
      else blocks.push(`${side} ${key}`);
    }
    // One more than the changes: the student typed before the first one. A stray key would add two.
    expect(blocks).toHaveLength(changes + 1);
    // Keys that a page sent although it knew better arrive only if control came back meanwhile, hence first.
    for (const block of blocks)
      expect(block).toMatch(block.startsWith('student') ? /^student( c)*( a)*$/ : /^instructor( d)*( b)*$/);
  }, 240_000);
});
