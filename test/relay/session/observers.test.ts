import type { ConsoleSignal } from '@porthole/shared/session/signals';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord } from '@porthole/shared/session/records';
import { toSessionRecord } from '@porthole/relay/session/registration';
import { createObserverNotifier } from '@porthole/relay/session/observers';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import type { ConsoleClient } from '../console-client.ts';
import { aGrant, createRelayRig, type RelayRig } from '../rig.ts';

const person = (name: string, displayName?: string): GrantClaims['user'] => ({
  id: `local:${name}`,
  name,
  ...(displayName === undefined ? {} : { displayName }),
  groups: [],
});

/** Records by hand, time by hand: what the store says and when it is asked. */
function createWorld() {
  const clock = createFakeClock();
  const records: SessionRecord[] = [];
  const published: ConsoleSignal[] = [];
  let asked = 0;
  let away = false;
  const observers = createObserverNotifier({
    clock,
    sessions: {
      async list() {
        asked++;
        if (away) throw new Error('away');
        return [...records];
      },
    },
    signals: { publish: async (signal) => void published.push(signal) },
  });
  const stop = observers.start();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  let places = 0;
  return {
    observers,
    published,
    stop,
    settle,
    clock,
    asked: () => asked,
    setAway: (value: boolean) => (away = value),
    add(user: GrantClaims['user'], observer = true) {
      const claims = aGrant(clock, { user, observer, sessionId: `session-${++places}` });
      const { sessionId } = claims;
      const bytes = { toViewer: 0, toMachine: 0 };
      records.push(toSessionRecord(claims, { connection: 'c', relay: 'r', node: 'pve1', since: 0, bytes }));
      return () =>
        void records.splice(
          records.findIndex((each) => each.sessionId === sessionId),
          1,
        );
    },
    async attend(user = person('student'), different: Partial<GrantClaims> = {}) {
      const told: string[] = [];
      const tell = (message: ControlMessage) => {
        if (message.type === 'observers') told.push(`${message.by.join(', ')} + ${message.others}`);
      };
      const leave = observers.register(aGrant(clock, { user, ...different }), tell);
      await settle();
      return { told, leave };
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}
const machine = { cluster: 'lab', vmid: 100 };

test('whoever opens a console hears who looks on, and each change of that, once', async () => {
  const world = createWorld();
  const leave = world.add(person('ina', 'Ina Instructor'));
  const { told } = await world.attend();
  expect(told).toEqual(['Ina Instructor + 0']);
  world.observers.onChanged(machine);
  await world.settle();
  expect(told).toHaveLength(1);
  world.add(person('bo'));
  world.observers.onChanged(machine);
  await world.settle();
  leave();
  world.observers.onChanged(machine);
  await world.settle();
  expect(told.slice(1)).toEqual(['bo, Ina Instructor + 0', 'bo + 0']);
});

test('nobody is told of nobody, of themselves, of the same person twice, or of who works there, too', async () => {
  const world = createWorld();
  world.add(person('colleague'), false);
  const student = await world.attend();
  expect(student.told).toEqual([]);
  world.add(person('student'));
  world.add(person('ina'));
  world.add(person('ina'));
  world.observers.onChanged(machine);
  await world.settle();
  expect(student.told).toEqual(['ina + 0']);
});

test('those who look on themselves hear nothing, and say so when they come and go', async () => {
  const world = createWorld();
  world.add(person('ina'));
  const watcher = await world.attend(person('bo'), { observer: true });
  expect([watcher.told, world.asked()]).toEqual([[], 0]);
  world.observers.notifyChanged({ ...machine, observer: true });
  world.observers.notifyChanged(machine);
  expect(world.published).toEqual([{ type: 'observers', ...machine }]);
});

test('only a few are named, however many they are', async () => {
  const world = createWorld();
  for (const name of 'gfedcba') world.add(person(name));
  const { told } = await world.attend();
  expect(told).toEqual(['a, b, c, d + 3']);
});

test('a watcher whose relay was killed is forgotten soon after its record has vanished', async () => {
  const world = createWorld();
  const vanish = world.add(person('ina'));
  const { told } = await world.attend();
  vanish(); // and nobody says so
  await world.pass(11_000);
  expect(told).toEqual(['ina + 0', ' + 0']);
});

test('a watcher whose signal got lost is noticed within a minute or so', async () => {
  const world = createWorld();
  const { told } = await world.attend();
  world.add(person('ina'));
  await world.pass(30_000);
  expect(told).toEqual([]);
  await world.pass(32_000);
  expect(told).toEqual(['ina + 0']);
});

test('while the store is away what was known stays, and it is looked again', async () => {
  const world = createWorld();
  world.add(person('ina'));
  const { told } = await world.attend();
  world.setAway(true);
  await world.pass(30_000);
  expect(told).toEqual(['ina + 0']);
  world.setAway(false);
  world.add(person('bo'));
  await world.pass(11_000);
  expect(told.at(-1)).toBe('bo, ina + 0');
});

test('at rest a relay full of consoles asks the store once a minute for each machine, evenly, and never again after', async () => {
  const world = createWorld();
  const leaves = [];
  for (let vmid = 100; vmid < 600; vmid++)
    leaves.push((await world.attend(person('student'), { vmid })).leave);
  const before = world.asked();
  expect(before).toBe(500);
  await world.pass(61_000);
  // All of them became due in one moment, and no tick took more than its share.
  expect(world.asked() - before).toBeLessThanOrEqual(100);
  await world.pass(10_000);
  expect(world.asked() - before).toBe(500);
  for (const leave of leaves) leave();
  await world.pass(200_000);
  expect(world.asked() - before).toBe(500);
  world.stop();
  expect(world.clock.pending()).toBe(0);
});

test('many signals at once become one look, and one more for what came meanwhile', async () => {
  const world = createWorld();
  await world.attend();
  const before = world.asked();
  for (let round = 0; round < 100; round++) world.observers.onChanged(machine);
  await world.settle();
  expect(world.asked() - before).toBe(2);
});

describe('over two relays', () => {
  let rigs: RelayRig[] = [];
  afterEach(async () => {
    for (const rig of rigs.splice(0).toReversed()) await rig.stop();
  });

  const watched = ({ messages }: ConsoleClient) =>
    messages.flatMap((message) => (message.type === 'observers' ? [message.by.join(', ')] : []));

  test('a student hears of an instructor at another relay, coming and going, and other machines do not', async () => {
    const one = await createRelayRig();
    const two = await createRelayRig({ beside: one });
    rigs = [one, two];
    const student = await one.open({ user: person('student') });
    await student.rfb();
    const instructor = await two.open({ user: person('ina', 'Ina'), observer: true, mode: 'view' });
    await instructor.rfb();
    await eventually('the student hears of it', () => watched(student).at(-1) === 'Ina');
    instructor.close();
    await eventually('and of its end', () => watched(student).at(-1) === '');
    expect(watched(student)).toEqual(['Ina', '']);
    expect(watched(instructor)).toEqual([]);
    student.close();
    await student.closed;
  });

  test('a plain viewer gets no word of it', async () => {
    const rig = await createRelayRig();
    rigs = [rig];
    const token = await rig.mint({ user: person('student') });
    const plain = rig.connect({ token, protocols: ['binary'] });
    await plain.rfb();
    const instructor = await rig.open({ user: person('ina'), observer: true });
    await instructor.rfb();
    const other = await rig.open({ user: person('colleague') });
    await other.rfb();
    await eventually('others hear of it', () => watched(other).at(-1) === 'ina');
    expect(plain.messages).toEqual([]);
    for (const client of [plain, instructor, other]) client.close();
  });
});
