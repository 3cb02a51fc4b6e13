import { systemRandom } from '@porthole/shared/crypto/random';
import fc from 'fast-check';
import {
  createSessionRecords,
  type OwnedSessionRecord,
  type SessionRecord,
  type SessionRecords,
} from '@porthole/shared/session/records';
import { digest, lifetimes, storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { RecordStore, Store } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';
import { startRedisServer } from '../../fakes/redis-server.ts';
import { describeWith } from '../../needs.ts';
import { redisStores, storeTestKeys } from '../store/store-harness.ts';

let sessions = 0;

function aRecord(connection: string, sessionId: string): SessionRecord {
  return {
    version: 1,
    sessionId,
    connection,
    relay: 'relay-1',
    loginRef: 'login-1',
    user: { id: 'local:anna', name: 'anna' },
    cluster: 'lab',
    node: 'pve1',
    type: 'qemu',
    vmid: 100,
    machineName: 'machine',
    mode: 'control',
    kind: 'screen',
    since: 0,
    bytes: { toViewer: 0, toMachine: 0 },
  };
}

/** The same rules for each store, because their atomic steps decide. */
function describeSessionRecords(name: string, openStore: () => Promise<Store>): void {
  describe(name, () => {
    async function aWorld(wrap: (records: RecordStore) => Partial<RecordStore> = () => ({})) {
      const { records, leases } = await openStore();
      const sessionId = `session-${++sessions}`;
      const onStore = (used: RecordStore): SessionRecords =>
        createSessionRecords({ records: used, leases, keys: storeTestKeys, random: systemRandom });
      const storeKey = storeKeys.session(digest(sessionId));
      return {
        records,
        storeKey,
        sessions: onStore(records),
        /** Of a relay whose calls to the store are changed by `wrap`. */
        otherRelay: onStore({ ...records, ...wrap(records) }),
        record: (connection: string) => aRecord(connection, sessionId),
        owner: async () => (await onStore(records).find(sessionId))?.connection,
        lose: () => records.delete(storeKey),
      };
    }

    test('a newer connection owns the session, and the older one learns that at its next renewal', async () => {
      const { sessions, record, owner } = await aWorld();
      const older = await sessions.claim(record('older'), 0);
      const newer = await sessions.claim(record('newer'), 1);
      expect(await older.renew(record('older'))).toBe(false);
      expect(await newer.renew(record('newer'))).toBe(true);
      expect(await older.remove()).toBe(false);
      expect(await owner()).toBe('newer');
      expect(await newer.remove()).toBe(true);
      expect(await owner()).toBeUndefined();
    });

    test('most renewals only extend the life of the record; one of three writes its bytes, and any writes other changes', async () => {
      const calls: string[] = [];
      const { otherRelay, sessions, record } = await aWorld((records) => ({
        async replace(key, expected, value, ttlMs) {
          calls.push(`${expected === value ? 'extended' : 'written'} for ${ttlMs}`);
          return records.replace(key, expected, value, ttlMs);
        },
      }));
      const first = record('only');
      const owned = await otherRelay.claim(first, 0);
      const renewWith = async (change: Partial<SessionRecord>) => {
        expect(await owned.renew({ ...first, ...change })).toBe(true);
        return sessions.find(first.sessionId);
      };
      const bytes = { toViewer: 5, toMachine: 7 };
      expect(await renewWith({ bytes })).toEqual({ ...first, generation: 0 });
      expect(await renewWith({ bytes })).toEqual({ ...first, generation: 0 });
      expect(await renewWith({ bytes })).toEqual({ ...first, bytes, generation: 0 });
      expect(await renewWith({ bytes, parked: true })).toMatchObject({ parked: true });
      expect(await renewWith({ bytes, parked: true })).toMatchObject({ parked: true });
      const { session } = lifetimes;
      expect(calls).toEqual(
        ['extended', 'extended', 'written', 'written', 'extended'].map((call) => `${call} for ${session}`),
      );
    });

    test('a record that the store lost is written again by its only connection', async () => {
      const { sessions, record, owner, lose } = await aWorld();
      const only = await sessions.claim(record('only'), 0);
      await lose();
      expect(await only.renew(record('only'))).toBe(true);
      expect(await only.renew(record('only'))).toBe(true);
      expect(await owner()).toBe('only');
    });

    test.each([['older first'], ['newer first']])(
      'after the store lost the record, the newer connection still owns the session (%s)',
      async (order) => {
        const { sessions, record, owner, lose } = await aWorld();
        const older = await sessions.claim(record('older'), 0);
        const newer = await sessions.claim(record('newer'), 1);
        await lose();
        if (order === 'older first') await older.renew(record('older'));
        expect(await newer.renew(record('newer'))).toBe(true);
        expect(await older.renew(record('older'))).toBe(false);
        expect(await newer.renew(record('newer'))).toBe(true);
        expect(await owner()).toBe('newer');
      },
    );

    test('an older connection that found nothing does not overwrite what the newer one has written since', async () => {
      let meanwhile = async () => {};
      const { sessions, otherRelay, record, owner, lose } = await aWorld((records) => ({
        async get(key) {
          const value = await records.get(key);
          const work = meanwhile;
          meanwhile = async () => {};
          await work();
          return value;
        },
      }));
      const older = await otherRelay.claim(record('older'), 0);
      const newer = await sessions.claim(record('newer'), 1);
      await lose();
      meanwhile = async () => void (await newer.renew(record('newer')));
      expect(await older.renew(record('older'))).toBe(false);
      expect(await newer.renew(record('newer'))).toBe(true);
      expect(await owner()).toBe('newer');
    });

    test('a write without a response does not make a connection lose its session', async () => {
      let lost = false;
      const { otherRelay, record, owner } = await aWorld((records) => ({
        async replace(...args) {
          const replaced = await records.replace(...args);
          if (!lost) return replaced;
          lost = false;
          throw new Error('No answer.');
        },
      }));
      const only = await otherRelay.claim(record('only'), 0);
      lost = true;
      await expect(only.renew(record('only'))).rejects.toThrow('No answer.');
      expect(await only.renew(record('only'))).toBe(true);
      expect(await owner()).toBe('only');
      lost = true;
      await expect(only.renew(record('only'))).rejects.toThrow('No answer.');
      expect(await only.remove()).toBe(true);
      expect(await owner()).toBeUndefined();
    });

    test('an older record that is written back ends no newer connection', async () => {
      const { sessions, records, storeKey, record, owner, lose } = await aWorld();
      const older = await sessions.claim(record('older'), 0);
      const saved = (await records.get(storeKey)) ?? '';
      // The newer connection finds no record, and so can't count on it.
      await lose();
      const newer = await sessions.claim(record('newer'), 1);
      await records.put(storeKey, saved, lifetimes.session);
      expect(await newer.renew(record('newer'))).toBe(true);
      expect(await older.renew(record('older'))).toBe(false);
      expect(await owner()).toBe('newer');
    });

    test('of two connections by one grant, the later owns the session', async () => {
      const { sessions, record } = await aWorld();
      const first = await sessions.claim(record('first'), 3);
      const second = await sessions.claim(record('second'), 3);
      expect([first.generation, second.generation]).toEqual([3, 4]);
      expect(await first.renew(record('first'))).toBe(false);
      expect(await second.renew(record('second'))).toBe(true);
    });

    test('a record that does not open is overwritten', async () => {
      const { sessions, records, storeKey, record, owner } = await aWorld();
      const only = await sessions.claim(record('only'), 0);
      await records.put(storeKey, 'forged', lifetimes.session);
      expect(await only.renew(record('only'))).toBe(true);
      expect(await owner()).toBe('only');
    });
  });
}

/** What happens to the record of a session, and how many calls to the store are answered before the next event. */
const story = fc.array(
  fc.record({
    what: fc.constantFrom('resume', 'renew', 'lose', 'restore'),
    /** Of the connection that renews, or of the record that is restored. */
    index: fc.nat(20),
    answers: fc.nat(8),
  }),
  { maxLength: 15 },
);

test('the newest connection owns the session, whenever calls are answered, and records are lost and restored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), story, async (scheduler, events) => {
      const { records, leases } = createMemoryStore({ clock: createFakeClock() });
      const storeKey = storeKeys.session(digest('session-1'));
      const written: string[] = [];
      /** The call has its effect when the scheduler says so. */
      const slow =
        <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
        async (...args: Args): Promise<T> => {
          await scheduler.schedule(Promise.resolve());
          const result = await call(...args);
          const value = await records.get(storeKey);
          if (value !== undefined) written.push(value);
          return result;
        };
      const sessions = createSessionRecords({
        records: {
          put: slow(records.put),
          add: slow(records.add),
          get: slow(records.get),
          replace: slow(records.replace),
          remove: slow(records.remove),
        },
        leases,
        keys: storeTestKeys,
        random: systemRandom,
      });
      const connections: OwnedSessionRecord[] = [];
      const recordOf = (index: number) => aRecord(`c${index}`, 'session-1');
      // A connection has a resume token only when it has registered.
      const resume = async () => {
        const { length } = connections;
        connections.push(await sessions.claim(recordOf(length), length));
      };
      let resuming = resume();
      const renewals: Promise<unknown>[] = [];
      const happen = {
        resume: () => (resuming = resuming.then(resume)),
        renew(chosen: number) {
          const index = chosen % (connections.length + 1);
          renewals.push(connections[index]?.renew(recordOf(index)) ?? resuming);
        },
        lose: () => records.delete(storeKey),
        restore: (index: number) =>
          written.length > 0 &&
          records.put(storeKey, written[index % written.length] ?? '', lifetimes.session),
      };
      for (const { what, index, answers } of events) {
        void happen[what](index);
        for (let answer = 0; answer < answers; answer++) {
          await new Promise(setImmediate);
          if (scheduler.count() > 0) await scheduler.waitOne();
        }
      }
      await scheduler.waitFor(resuming);
      await scheduler.waitFor(Promise.allSettled(renewals));
      const renew = (index: number) =>
        scheduler.waitFor(connections[index]?.renew(recordOf(index)) ?? Promise.resolve(false));
      const newest = connections.length - 1;
      for (let index = 0; index < newest; index++) await renew(index);
      expect(await renew(newest)).toBe(true);
      for (let index = 0; index < newest; index++) expect(await renew(index)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describeSessionRecords('session records in memory', async () =>
  createMemoryStore({ clock: createFakeClock() }),
);

describeWith('redis')('with a real server', () => {
  let server: Awaited<ReturnType<typeof startRedisServer>>;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());
  const stores = redisStores();
  describeSessionRecords('session records on Redis', () =>
    stores.open({ mode: 'standalone', url: server.url }),
  );
});
