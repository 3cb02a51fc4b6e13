import { Redis } from 'ioredis';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { systemClock } from '@porthole/shared/time/clock';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createSessionRecords } from '@porthole/shared/session/records';
import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { digest } from '@porthole/shared/store/keys';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import type { Store } from '@porthole/shared/store/ports';
import { describeWith } from '../../../needs.ts';
import { someClaims } from '../../grant/sample-claims.ts';
import { eventually } from '../../../eventually.ts';
import { everythingIn, recordedLog, redisStores, rejectionOf, storeTestKeys } from '../store-harness.ts';

const long = 600_000;

describeWith('redis')('the store on Redis, with a password', () => {
  const { open } = redisStores();
  const password = 'correct horse/battery@staple';
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedisServer({ password });
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  test('it uses the password in the URL', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    expect(await store.healthy()).toBe(true);
  });

  test('a separate password overrides the one in the URL', async () => {
    const url = `redis://:wrong@127.0.0.1:${server.port}`;
    const store = await open({ mode: 'standalone', url, password });
    expect(await store.healthy()).toBe(true);
  });

  test('the password is read again before each attempt, so a changed one needs no restart', async () => {
    let current: string | undefined = 'not yet known';
    const url = `redis://127.0.0.1:${server.port}`;
    const store = await open({ mode: 'standalone', url, password: () => current });
    expect(await store.healthy()).toBe(false);
    current = undefined;
    expect(await store.healthy()).toBe(false);
    current = password;
    await eventually(async () => expect(await store.healthy()).toBe(true));
  });

  test('a rejected password is logged once, and appears in no line and no error', async () => {
    const secret = 'hunter2-hunter2';
    const { log, lines, linesWith } = recordedLog();
    const store = await open({ mode: 'standalone', url: `redis://:${secret}@127.0.0.1:${server.port}` }, log);
    const errors = [
      await rejectionOf(store.records.put('k', 'v', long)),
      await rejectionOf(store.records.get('k')),
      await rejectionOf(store.leases.join('l', 'h', 1, long)),
      await rejectionOf(store.signals.publish('m')),
    ];
    await eventually(() => expect(linesWith('WRONGPASS')).toHaveLength(1));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'store_unavailable' });
      expect(everythingIn(error)).not.toContain(secret);
    }
    expect(lines.join('')).not.toContain(secret);
  });

  test('no error contains the value that could not be written', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await admin.config('SET', 'maxmemory', '1');
    const error = await rejectionOf(store.records.put('k', 'a sealed grant', long));
    await admin.config('SET', 'maxmemory', '0');
    expect(error).toMatchObject({
      code: 'store_unavailable',
      cause: { message: expect.stringMatching(/^OOM/) },
    });
    expect(everythingIn(error)).not.toContain('a sealed grant');
  });
});

describeWith('redis')('the data in Redis', () => {
  const { open } = redisStores();
  let server: RedisServer;
  let admin: Redis;
  beforeEach(async () => {
    server = await startRedisServer();
    admin = new Redis(server.url);
  });
  afterEach(async () => {
    admin.disconnect();
    await server.stop();
  });

  /** All keys with their values. */
  async function everything(): Promise<string> {
    const shown: string[] = [];
    for (const key of await admin.keys('*')) {
      const isSet = (await admin.type(key)) === 'zset';
      shown.push(key, ...(isSet ? await admin.zrange(key, '0', '-1') : [(await admin.get(key)) ?? '']));
    }
    return shown.join('\n');
  }

  test('leases and rate limits contain no user, address, machine or holder', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.leases.join('user/alice', 'pod-7/alice', 1, long);
    await store.leases.join('user/alice', 'pod-8/alice', 1, long);
    await store.leases.tryAcquire('machine/lab/104', 'pod-7/alice', 3, long);
    await store.rateLimits.spend('sign-in/alice', 5, 600);
    await store.rateLimits.spend('sign-in/192.0.2.7', 5, 600);
    const shown = await everything();
    expect(shown.split('\n').filter((line) => line.startsWith('porthole:'))).toHaveLength(6);
    expect(shown).not.toMatch(/alice|192\.0\.2\.7|machine|lab|pod-/);
  });

  test('names cannot be found by trying candidates', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.leases.join('user/local:anna', 'session-1', 1, long);
    await store.rateLimits.spend('sign-in/name/anna', 5, 600);
    const orders = createTerminationOrders({
      records: store.records,
      signals: { publish: async () => {} },
      keys: storeTestKeys,
      random: systemRandom,
      clock: systemClock,
    });
    await orders.issue({ kind: 'user', ref: 'local:anna' }, 'ended_by_operator');
    const shown = await everything();
    const guesses = ['user/local:anna', '600/sign-in/name/anna', 'user/local:anna', 'end/user/local:anna'];
    expect(shown.split('\n').filter((line) => line.startsWith('porthole:'))).toHaveLength(5);
    for (const guess of guesses) {
      expect(shown).not.toContain(digest(guess));
      // Another installation of Porthole has other keys.
      expect(shown).not.toContain(createKeyedDigests(() => ['x'.repeat(40)]).of(guess));
    }
    expect(shown).toContain(createKeyedDigests(storeTestKeys).of('user/local:anna'));
  });

  test('session records and termination orders can be neither read nor forged', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    const { records, leases } = store;
    const shared = {
      records,
      leases,
      keys: () => ['k'.repeat(40)],
      random: systemRandom,
      clock: systemClock,
    };
    const signals = { publish: async () => {} };
    const console = {
      ...someClaims(systemClock, {
        cluster: 'secret-cluster',
        user: { id: 'alice', name: 'Alice', groups: [] },
      }),
      version: 1 as const,
      connection: 'connection-1',
      relay: 'relay-1',
      since: 1,
      bytes: { toViewer: 1, toMachine: 1 },
    };
    const sessions = createSessionRecords(shared);
    await sessions.claim(console, 0);
    await createTerminationOrders({ ...shared, signals }).issue(
      { kind: 'user', ref: 'alice' },
      'ended_by_operator',
    );
    const shown = await everything();
    expect(shown.split('\n').filter((line) => line.startsWith('porthole:'))).toHaveLength(3);
    expect(shown).not.toMatch(/alice|secret-cluster|session-1|connection-1|relay-1|ended_by_operator/);

    const stranger = { ...shared, keys: () => ['x'.repeat(40)] };
    await createSessionRecords(stranger).claim(console, 0);
    await createTerminationOrders({ ...stranger, signals }).issue(
      { kind: 'session', ref: 'session-1' },
      'ended_by_operator',
    );
    expect(await sessions.find('session-1')).toBeUndefined();
    const orders = createTerminationOrders({ ...shared, signals });
    expect(
      await orders.findFor({ ...console, user: { id: 'bob', name: 'Bob', groups: [] } }),
    ).toBeUndefined();
  });

  test('every key expires, so nothing remains if all pods die', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.records.put('porthole:grant:1', 'v', 100);
    await store.leases.join('l', 'a', 1, 100);
    await store.leases.join('l', 'b', 1, 50);
    await store.leases.tryAcquire('m', 'a', 1, 100);
    await store.rateLimits.spend('alice', 1, 1);
    await eventually(async () => expect(await admin.keys('*')).toEqual([]));
  });

  test('a lease without holders leaves no keys', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.leases.join('l', 'a', 1, long);
    await store.leases.join('l', 'b', 1, long);
    await store.leases.release('l', 'a');
    await store.leases.release('l', 'b');
    expect(await admin.keys('*')).toEqual([]);
  });
});

describeWith('redis')('while the grant keys rotate', () => {
  const [old, next] = ['o'.repeat(40), 'n'.repeat(40)];
  let server: RedisServer;
  const stores: Store[] = [];
  beforeEach(async () => {
    server = await startRedisServer();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.stop()));
    await server.stop();
  });

  async function podWith(keys: () => readonly string[]): Promise<Store> {
    const redis = { mode: 'standalone', url: server.url } as const;
    const store = createRedisStore({ redis, keys, log: recordedLog().log });
    stores.push(store);
    await store.start();
    return store;
  }

  test('limits hold over both keys, and no holder counts twice', async () => {
    const [before, after] = [await podWith(() => [old, next]), await podWith(() => [next, old])];
    expect(await before.leases.tryAcquire('user/anna', 'one', 2, long)).toBe(true);
    expect(await after.leases.tryAcquire('user/anna', 'two', 2, long)).toBe(true);
    expect(await after.leases.tryAcquire('user/anna', 'three', 2, long)).toBe(false);
    expect(await before.leases.tryAcquire('user/anna', 'three', 2, long)).toBe(false);
    for (const pod of [before, after]) expect(await pod.leases.count('user/anna')).toBe(2);
    expect(await after.leases.list('user/anna')).toEqual([digest('one'), digest('two')]);
    // A holder that a pod with the new key renews has two entries for a while.
    expect(await after.leases.join('user/anna', 'one', Number.MAX_SAFE_INTEGER, long)).toBe(0);
    for (const pod of [before, after]) expect(await pod.leases.count('user/anna')).toBe(2);
    expect(await after.leases.tryAcquire('user/anna', 'one', 2, long)).toBe(true);
    await after.leases.release('user/anna', 'one');
    for (const pod of [before, after]) expect(await pod.leases.count('user/anna')).toBe(1);
    expect(await after.leases.tryAcquire('user/anna', 'three', 2, long)).toBe(true);
  });

  test('holders move to the new key with their next renewal, before the old key is removed', async () => {
    let keys = [old];
    const pod = await podWith(() => keys);
    await pod.leases.join('user/anna', 'one', 1, long);
    keys = [next, old];
    await pod.leases.join('user/anna', 'one', 1, long);
    keys = [next];
    expect(await pod.leases.count('user/anna')).toBe(1);
  });
});
