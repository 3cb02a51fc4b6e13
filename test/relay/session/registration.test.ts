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

/** A store and a clock, in which connections register sessions. */
function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const { records, leases } = store;
  const sessions = createSessionRecords({ records, leases, keys, random: systemRandom });
  const signals = createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock });
  const published: ConsoleSignal[] = [];
  signals.subscribe((signal) => published.push(signal));
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
    published,
    claims,
    settle,
    count: (name: string) => leases.count(name),
    records,
    async register(connection: string, relayId: string, overrides: Partial<GrantClaims> = {}) {
      const ownClaims = { ...claims, ...overrides };
      const bytes = { toViewer: 0, toMachine: 0 };
      let superseded = 0;
      const registration = await registerSession({ sessions, leases, signals, clock, relayId }, ownClaims, {
        signal: new AbortController().signal,
        describe: () =>
          toSessionRecord(ownClaims, {
            connection,
            relay: relayId,
            node: 'pve1',
            since: ownClaims.issuedAt,
            bytes,
          }),
        onSuperseded: () => superseded++,
      });
      return { registration, bytes, superseded: () => superseded };
    },
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(1000);
        await settle();
      }
    },
  };
}
const resumes = { openedAt: 0, endsAt: 0, generation: 1 };

test('a live session is listed by user and machine, and counted at its relay, until it is removed', async () => {
  const fixture = createFixture();
  const { registration, bytes } = await fixture.register('c1', 'r1');
  bytes.toViewer = 7;
  await fixture.advance(300_000);
  for (const name of [leaseNames.user('student'), leaseNames.machine('lab', 100), leaseNames.allSessions])
    expect(await fixture.sessions.list(name)).toMatchObject([{ connection: 'c1', bytes: { toViewer: 7 } }]);
  expect(await fixture.count(leaseNames.relay('r1'))).toBe(1);
  await registration.remove();
  expect(await fixture.count(leaseNames.relay('r1'))).toBe(0);
  expect(await fixture.sessions.list(leaseNames.allSessions)).toEqual([]);
  expect(await fixture.sessions.find('session-1')).toBeUndefined();
  expect(await fixture.count(leaseNames.user('student'))).toBe(0);
  expect(fixture.clock.pending()).toBe(0);
});

test('the record of a relay that crashed expires after half a minute', async () => {
  const fixture = createFixture();
  // The record is claimed but never renewed.
  await fixture.sessions.claim(
    toSessionRecord(fixture.claims, {
      connection: 'c1',
      relay: 'r1',
      node: 'pve1',
      since: 0,
      bytes: { toViewer: 0, toMachine: 0 },
    }),
    0,
  );
  await fixture.advance(29_000);
  expect(await fixture.sessions.find('session-1')).toBeDefined();
  await fixture.advance(1000);
  expect(await fixture.sessions.find('session-1')).toBeUndefined();
});

test('a resumed session is counted once, so a quota of one is enough', async () => {
  const fixture = createFixture();
  await fixture.register('c1', 'r1');
  await fixture.register('c2', 'r2', { resumes });
  expect(await fixture.count(leaseNames.user('student'))).toBe(1);
  expect(await fixture.sessions.find('session-1')).toMatchObject({ connection: 'c2', relay: 'r2' });
});

test('a newer connection supersedes the older one by a signal, and without it by the heartbeat', async () => {
  const fixture = createFixture();
  const older = await fixture.register('c1', 'r1');
  await fixture.register('c2', 'r2', { resumes });
  await fixture.settle();
  expect(fixture.published).toEqual([{ type: 'superseded', sessionId: 'session-1', generation: 1 }]);
  await fixture.advance(5000);
  expect(older.superseded()).toBe(1);
});

test('a superseded connection that ends changes nothing that belongs to the newer one', async () => {
  for (const end of ['remove', 'keepForResume'] as const) {
    const fixture = createFixture();
    const older = await fixture.register('c1', 'r1');
    const newer = await fixture.register('c2', 'r2', { resumes });
    await older.registration[end]();
    await fixture.advance(120_000);
    expect(await fixture.sessions.find('session-1')).toMatchObject({ connection: 'c2' });
    expect(await fixture.count(leaseNames.user('student'))).toBe(1);
    expect(await fixture.count(leaseNames.relay('r1'))).toBe(0);
    expect(await fixture.count(leaseNames.relay('r2'))).toBe(1);
    expect(newer.superseded()).toBe(0);
  }
});

test('a lost viewer keeps its leases for half a minute, and its record says that no relay carries it', async () => {
  const fixture = createFixture();
  const { registration } = await fixture.register('c1', 'r1');
  expect((await fixture.sessions.find('session-1'))?.disconnected).toBeUndefined();
  await registration.keepForResume();
  expect((await fixture.sessions.find('session-1'))?.disconnected).toBe(true);
  expect(fixture.clock.pending()).toBe(0);
  await fixture.advance(29_000);
  expect(await fixture.count(leaseNames.user('student'))).toBe(1);
  await fixture.advance(1000);
  expect(await fixture.count(leaseNames.user('student'))).toBe(0);
  expect(await fixture.sessions.find('session-1')).toBeUndefined();
});

test('a record that the store has lost is written again', async () => {
  const fixture = createFixture();
  const { superseded } = await fixture.register('c1', 'r1');
  const [record] = await fixture.sessions.list(leaseNames.allSessions);
  expect(record).toBeDefined();
  await fixture.records.delete(storeKeys.session(digest('session-1')));
  expect(await fixture.sessions.find('session-1')).toBeUndefined();
  await fixture.advance(5000);
  expect(await fixture.sessions.find('session-1')).toMatchObject({ connection: 'c1' });
  expect(superseded()).toBe(0);
});

test('a session above the quota leaves no record', async () => {
  const fixture = createFixture();
  await fixture.register('c1', 'r1');
  const refused = fixture.register('c2', 'r1', { sessionId: 'session-2' }).catch((error: unknown) => error);
  await fixture.advance(3000);
  expect(await refused).toMatchObject({ code: 'user_limit' });
  expect(await fixture.sessions.find('session-2')).toBeUndefined();
});
