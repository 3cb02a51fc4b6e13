import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords } from '@porthole/shared/session/records';
import { digest, leaseNames, storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { registerSession, toSessionRecord } from '@porthole/relay/session/registration';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';

const keys = () => ['k'.repeat(40)];

function createWorld() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const { records, leases } = store;
  const sessions = createSessionRecords({ records, leases, keys, random: systemRandom });
  const signals = createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock });
  const heard: ConsoleSignal[] = [];
  signals.subscribe((signal) => heard.push(signal));
  const claims = aGrant(clock, {
    sessionId: 'session-1',
    limits: { sessionSeconds: 3600, idleSeconds: 3600, perUser: 1, perMachine: 1 },
  });
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return {
    clock,
    sessions,
    heard,
    claims,
    settle,
    count: (name: string) => leases.count(name),
    records,
    async enter(connection: string, relayId: string, different: Partial<GrantClaims> = {}) {
      const mine = { ...claims, ...different };
      const bytes = { toViewer: 0, toMachine: 0 };
      let superseded = 0;
      const presence = await registerSession({ sessions, leases, signals, clock, relayId }, mine, {
        signal: new AbortController().signal,
        describe: () =>
          toSessionRecord(mine, { connection, relay: relayId, node: 'pve1', since: mine.issuedAt, bytes }),
        onSuperseded: () => superseded++,
      });
      return { presence, bytes, superseded: () => superseded };
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}
const resumes = { openedAt: 0, endsAt: 0 };

test('a live console is listed with its user, its machine, its relay, for as long as it lives', async () => {
  const world = createWorld();
  const { presence, bytes } = await world.enter('c1', 'r1');
  bytes.toViewer = 7;
  await world.pass(300_000);
  for (const name of [
    leaseNames.user('student'),
    leaseNames.machine('lab', 100),
    leaseNames.relay('r1'),
    leaseNames.allSessions,
  ])
    expect(await world.sessions.list(name)).toMatchObject([{ connection: 'c1', bytes: { toViewer: 7 } }]);
  await presence.remove();
  expect(await world.sessions.list(leaseNames.allSessions)).toEqual([]);
  expect(await world.sessions.find('session-1')).toBeUndefined();
  expect(await world.count(leaseNames.user('student'))).toBe(0);
  expect(world.clock.pending()).toBe(0);
});

test('a relay that dies leaves no record for longer than half a minute', async () => {
  const world = createWorld();
  // Claimed and never renewed again: its heart stopped with it.
  await world.sessions.claim(
    toSessionRecord(world.claims, {
      connection: 'c1',
      relay: 'r1',
      node: 'pve1',
      since: 0,
      bytes: { toViewer: 0, toMachine: 0 },
    }),
  );
  await world.pass(29_000);
  expect(await world.sessions.find('session-1')).toBeDefined();
  await world.pass(1000);
  expect(await world.sessions.find('session-1')).toBeUndefined();
});

test('a console that goes on elsewhere is not counted twice, although its limit is one', async () => {
  const world = createWorld();
  await world.enter('c1', 'r1');
  await world.enter('c2', 'r2', { resumes });
  expect(await world.count(leaseNames.user('student'))).toBe(1);
  expect(await world.sessions.find('session-1')).toMatchObject({ connection: 'c2', relay: 'r2' });
});

test('the newcomer says so, and the old one would find out by itself', async () => {
  const world = createWorld();
  const old = await world.enter('c1', 'r1');
  await world.enter('c2', 'r2', { resumes });
  await world.settle();
  expect(world.heard).toEqual([{ type: 'superseded', sessionId: 'session-1', connection: 'c2' }]);
  await world.pass(5000);
  expect(old.superseded()).toBe(1);
});

test('an old connection that ends late takes nothing from the newcomer', async () => {
  for (const how of ['remove', 'keepForResume'] as const) {
    const world = createWorld();
    const old = await world.enter('c1', 'r1');
    const newcomer = await world.enter('c2', 'r2', { resumes });
    await old.presence[how]();
    await world.pass(120_000);
    expect(await world.sessions.find('session-1')).toMatchObject({ connection: 'c2' });
    expect(await world.count(leaseNames.user('student'))).toBe(1);
    expect(await world.sessions.list(leaseNames.relay('r1'))).toEqual([]);
    expect(newcomer.superseded()).toBe(0);
  }
});

test('a viewer that was lost keeps its place for half a minute', async () => {
  const world = createWorld();
  const { presence } = await world.enter('c1', 'r1');
  await presence.keepForResume();
  expect(world.clock.pending()).toBe(0);
  await world.pass(29_000);
  expect(await world.count(leaseNames.user('student'))).toBe(1);
  await world.pass(1000);
  expect(await world.count(leaseNames.user('student'))).toBe(0);
  expect(await world.sessions.find('session-1')).toBeUndefined();
});

test('a store that forgot everything is told again', async () => {
  const world = createWorld();
  const { superseded } = await world.enter('c1', 'r1');
  const [record] = await world.sessions.list(leaseNames.allSessions);
  expect(record).toBeDefined();
  await world.records.delete(storeKeys.session(digest('session-1')));
  expect(await world.sessions.find('session-1')).toBeUndefined();
  await world.pass(5000);
  expect(await world.sessions.find('session-1')).toMatchObject({ connection: 'c1' });
  expect(superseded()).toBe(0);
});

test('who is refused for want of a place leaves no record', async () => {
  const world = createWorld();
  await world.enter('c1', 'r1');
  const refused = world.enter('c2', 'r1', { sessionId: 'session-2' }).catch((error: unknown) => error);
  await world.pass(3000);
  expect(await refused).toMatchObject({ code: 'user_limit' });
  expect(await world.sessions.find('session-2')).toBeUndefined();
});
