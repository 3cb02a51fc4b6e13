import type { ConsoleSignal } from '@porthole/shared/session/signals';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { WallUser } from '@porthole/shared/session/walls';
import { toSessionRecord } from '@porthole/relay/session/registration';
import { createObserverNotifier } from '@porthole/relay/session/observers';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import type { ConsoleClient } from '../console-client.ts';
import { aGrant, createRelayRig, type RelayRig } from '../rig.ts';

const aUser = (name: string, displayName?: string): GrantClaims['user'] => ({
  id: `local:${name}`,
  name,
  ...(displayName === undefined ? {} : { displayName }),
  groups: [],
});

/** A notifier whose records and time the test controls. */
function createFixture() {
  const clock = createFakeClock();
  const records: SessionRecord[] = [];
  const wallUsers: WallUser[] = [];
  const published: ConsoleSignal[] = [];
  let listRequests = 0;
  let storeUnavailable = false;
  const observers = createObserverNotifier({
    clock,
    sessions: {
      async list() {
        listRequests++;
        if (storeUnavailable) throw new Error('unavailable');
        return [...records];
      },
    },
    walls: { usersWatching: async () => [...wallUsers] },
    signals: { publish: async (signal) => void published.push(signal) },
  });
  const stop = observers.start();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  let recordCount = 0;
  return {
    observers,
    published,
    wallUsers,
    stop,
    settle,
    clock,
    listRequests: () => listRequests,
    setStoreUnavailable: (value: boolean) => (storeUnavailable = value),
    add(user: GrantClaims['user'], observer = true) {
      const claims = aGrant(clock, { user, observer, sessionId: `session-${++recordCount}` });
      const { sessionId } = claims;
      const bytes = { toViewer: 0, toMachine: 0 };
      records.push(toSessionRecord(claims, { connection: 'c', relay: 'r', node: 'pve1', since: 0, bytes }));
      return () =>
        void records.splice(
          records.findIndex((each) => each.sessionId === sessionId),
          1,
        );
    },
    async register(user = aUser('student'), overrides: Partial<GrantClaims> = {}) {
      const notices: string[] = [];
      const sendControl = (message: ControlMessage) => {
        if (message.type === 'observers') notices.push(`${message.by.join(', ')} + ${message.others}`);
      };
      const unregister = observers.register(aGrant(clock, { user, ...overrides }), sendControl);
      await settle();
      return { notices, unregister };
    },
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}
const machine = { cluster: 'lab', vmid: 100 };

test('a viewer is told who observes its machine, and each change once', async () => {
  const fixture = createFixture();
  const leave = fixture.add(aUser('ina', 'Ina Instructor'));
  const { notices } = await fixture.register();
  expect(notices).toEqual(['Ina Instructor + 0']);
  fixture.observers.onChanged(machine);
  await fixture.settle();
  expect(notices).toHaveLength(1);
  fixture.add(aUser('bo'));
  fixture.observers.onChanged(machine);
  await fixture.settle();
  leave();
  fixture.observers.onChanged(machine);
  await fixture.settle();
  expect(notices.slice(1)).toEqual(['bo, Ina Instructor + 0', 'bo + 0']);
});

test('a viewer is not told of no observers, of itself, of a user twice, or of users with control', async () => {
  const fixture = createFixture();
  fixture.add(aUser('colleague'), false);
  const student = await fixture.register();
  expect(student.notices).toEqual([]);
  fixture.add(aUser('student'));
  fixture.add(aUser('ina'));
  fixture.add(aUser('ina'));
  fixture.observers.onChanged(machine);
  await fixture.settle();
  expect(student.notices).toEqual(['ina + 0']);
});

test('a viewer is told of a user who sees the machine on a wall, once with the consoles of that user', async () => {
  const fixture = createFixture();
  fixture.wallUsers.push({ id: 'local:ina', name: 'ina', displayName: 'Ina Instructor' });
  const { notices } = await fixture.register();
  fixture.add(aUser('ina', 'Ina Instructor'));
  fixture.observers.onChanged(machine);
  await fixture.settle();
  fixture.wallUsers.length = 0;
  fixture.observers.onChanged(machine);
  await fixture.settle();
  expect(notices).toEqual(['Ina Instructor + 0']);
});

test('an observer is told of no observers, and publishes that it joins and leaves', async () => {
  const fixture = createFixture();
  fixture.add(aUser('ina'));
  const observer = await fixture.register(aUser('bo'), { observer: true });
  expect([observer.notices, fixture.listRequests()]).toEqual([[], 0]);
  fixture.observers.notifyChanged({ ...machine, observer: true });
  fixture.observers.notifyChanged(machine);
  expect(fixture.published).toEqual([{ type: 'observers', ...machine }]);
});

test('at most four observers are named, and the others counted', async () => {
  const fixture = createFixture();
  for (const name of 'gfedcba') fixture.add(aUser(name));
  const { notices } = await fixture.register();
  expect(notices).toEqual(['a, b, c, d + 3']);
});

test('an observer whose relay was killed is removed soon after its record has expired', async () => {
  const fixture = createFixture();
  const remove = fixture.add(aUser('ina'));
  const { notices } = await fixture.register();
  remove(); // Without a signal.
  await fixture.advance(11_000);
  expect(notices).toEqual(['ina + 0', ' + 0']);
});

test('an observer whose signal was lost is noticed within about a minute', async () => {
  const fixture = createFixture();
  const { notices } = await fixture.register();
  fixture.add(aUser('ina'));
  await fixture.advance(30_000);
  expect(notices).toEqual([]);
  await fixture.advance(32_000);
  expect(notices).toEqual(['ina + 0']);
});

test('while the store is unavailable, the known observers stay, and the request is repeated', async () => {
  const fixture = createFixture();
  fixture.add(aUser('ina'));
  const { notices } = await fixture.register();
  fixture.setStoreUnavailable(true);
  await fixture.advance(30_000);
  expect(notices).toEqual(['ina + 0']);
  fixture.setStoreUnavailable(false);
  fixture.add(aUser('bo'));
  await fixture.advance(11_000);
  expect(notices.at(-1)).toBe('bo, ina + 0');
});

test('a relay without changes sends one request per machine and minute, evenly, and none after its sessions end', async () => {
  const fixture = createFixture();
  const registrations = [];
  for (let vmid = 100; vmid < 600; vmid++)
    registrations.push(await fixture.register(aUser('student'), { vmid }));
  const before = fixture.listRequests();
  expect(before).toBe(500);
  await fixture.advance(61_000);
  // All became due at once, and each tick handles only its share.
  expect(fixture.listRequests() - before).toBeLessThanOrEqual(100);
  await fixture.advance(10_000);
  expect(fixture.listRequests() - before).toBe(500);
  for (const { unregister } of registrations) unregister();
  await fixture.advance(200_000);
  expect(fixture.listRequests() - before).toBe(500);
  fixture.stop();
  expect(fixture.clock.pending()).toBe(0);
});

test('many signals at once cause one request, and one more for those that arrive meanwhile', async () => {
  const fixture = createFixture();
  await fixture.register();
  const before = fixture.listRequests();
  for (let round = 0; round < 100; round++) fixture.observers.onChanged(machine);
  await fixture.settle();
  expect(fixture.listRequests() - before).toBe(2);
});

describe('observers at another relay', () => {
  let rigs: RelayRig[] = [];
  afterEach(async () => {
    for (const rig of rigs.splice(0).toReversed()) await rig.stop();
  });

  const observersOf = ({ messages }: ConsoleClient) =>
    messages.flatMap((message) => (message.type === 'observers' ? [message.by.join(', ')] : []));

  test('are named to the viewer when they join and when they leave, but not to themselves', async () => {
    const one = await createRelayRig();
    const two = await createRelayRig({ sharedWith: one });
    rigs = [one, two];
    const student = await one.open({ user: aUser('student') });
    await student.rfb();
    const instructor = await two.open({ user: aUser('ina', 'Ina'), observer: true, mode: 'view' });
    await instructor.rfb();
    await eventually('the student is told of the observer', () => observersOf(student).at(-1) === 'Ina');
    instructor.close();
    await eventually('the student is told that the observer left', () => observersOf(student).at(-1) === '');
    expect(observersOf(student)).toEqual(['Ina', '']);
    expect(observersOf(instructor)).toEqual([]);
    student.close();
    await student.closed;
  });

  test('are not named to a plain viewer', async () => {
    const rig = await createRelayRig();
    rigs = [rig];
    const token = await rig.mint({ user: aUser('student') });
    const plain = rig.connect({ token, protocols: ['binary'] });
    await plain.rfb();
    const instructor = await rig.open({ user: aUser('ina'), observer: true });
    await instructor.rfb();
    const other = await rig.open({ user: aUser('colleague') });
    await other.rfb();
    await eventually('another viewer is told of the observer', () => observersOf(other).at(-1) === 'ina');
    expect(plain.messages).toEqual([]);
    for (const client of [plain, instructor, other]) client.close();
  });
});
