import { Redis } from 'ioredis';
import { createEndOrders } from '@porthole/shared/end-orders';
import { systemClock } from '@porthole/shared/clock';
import { systemRandom } from '@porthole/shared/random';
import { createSessionRecords } from '@porthole/shared/session-records';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { someClaims } from './grant-claims.ts';
import { eventually, everythingIn, recordedLog, redisStores, refusalOf } from './store-harness.ts';

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

  test('it takes the password from the URL', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    expect(await store.healthy()).toBe(true);
  });

  test('a password given apart wins over the one in the URL', async () => {
    const url = `redis://:wrong@127.0.0.1:${server.port}`;
    const store = await open({ mode: 'standalone', url, password });
    expect(await store.healthy()).toBe(true);
  });

  test('a password is asked for again before each try, so a changed one needs no restart', async () => {
    let current: string | undefined = 'not yet known';
    const url = `redis://127.0.0.1:${server.port}`;
    const store = await open({ mode: 'standalone', url, password: () => current });
    expect(await store.healthy()).toBe(false);
    current = undefined;
    expect(await store.healthy()).toBe(false);
    current = password;
    await eventually(async () => expect(await store.healthy()).toBe(true));
  });

  test('a refused password is told to the log once, and is in no line and no error', async () => {
    const secret = 'hunter2-hunter2';
    const { log, lines, linesWith } = recordedLog();
    const store = await open({ mode: 'standalone', url: `redis://:${secret}@127.0.0.1:${server.port}` }, log);
    const errors = [
      await refusalOf(store.records.put('k', 'v', long)),
      await refusalOf(store.records.get('k')),
      await refusalOf(store.leases.join('l', 'h', 1, long)),
      await refusalOf(store.signals.publish('m')),
    ];
    await eventually(() => expect(linesWith('WRONGPASS')).toHaveLength(1));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'store_down' });
      expect(everythingIn(error)).not.toContain(secret);
    }
    expect(lines.join('')).not.toContain(secret);
  });

  test('no error carries the value that could not be written', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await admin.config('SET', 'maxmemory', '1');
    const error = await refusalOf(store.records.put('k', 'a sealed grant', long));
    await admin.config('SET', 'maxmemory', '0');
    expect(error).toMatchObject({ code: 'store_down', cause: { message: expect.stringMatching(/^OOM/) } });
    expect(everythingIn(error)).not.toContain('a sealed grant');
  });

  test('a user of Redis who may do only what Porthole needs is enough', async () => {
    const rights = ['resetkeys', '~porthole:*', 'resetchannels', '&porthole:*', '-@all'];
    const commands = [
      'ping',
      'info',
      'hello',
      'auth',
      'get',
      'set',
      'getdel',
      'del',
      'eval',
      'evalsha',
      'publish',
    ];
    const more = [
      'subscribe',
      'time',
      'zadd',
      'zrem',
      'zcard',
      'zrank',
      'zrange',
      'zrangebyscore',
      'pexpireat',
    ];
    const limits = ['incrby', 'pttl', 'expire', 'select'];
    const allowed = [...commands, ...more, ...limits].map((command) => `+${command}`);
    await admin.call('ACL', 'SETUSER', 'porthole', 'reset', 'on', '>secret', ...rights, ...allowed);
    const { log, lines } = recordedLog();
    const url = `redis://porthole:secret@127.0.0.1:${server.port}`;
    const store = await open({ mode: 'standalone', url }, log);
    await store.records.put('porthole:grant:1', 'v', long);
    expect(await store.records.get('porthole:grant:1')).toBe('v');
    expect(await store.records.take('porthole:grant:1')).toBe('v');
    await store.records.delete('porthole:grant:1');
    await store.records.put('porthole:session:1', 'a', long);
    expect(await store.records.replace('porthole:session:1', 'a', 'b', long)).toBe(true);
    expect(await store.records.remove('porthole:session:1', 'b')).toBe(true);
    expect(await store.leases.list('l')).toEqual([]);
    expect(await store.leases.tryAcquire('l', 'h', 1, long)).toBe(true);
    expect(await store.leases.join('l', 'h', 1, long)).toBe(0);
    expect(await store.leases.count('l')).toBe(1);
    await store.leases.release('l', 'h');
    await store.rateLimits.spend('alice', 1, 600);
    // Refused by Redis, not by a limiter in memory that had to step in.
    expect(await admin.keys('porthole:rate:*')).toHaveLength(1);
    const heard: string[] = [];
    store.signals.subscribe((message) => heard.push(message));
    await store.signals.publish('m');
    await eventually(() => expect(heard).toEqual(['m']));
    expect(lines).toEqual([]);
  });
});

describeWith('redis')('what Redis knows', () => {
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

  /** Every key with its value. */
  async function everything(): Promise<string> {
    const shown: string[] = [];
    for (const key of await admin.keys('*')) {
      const isSet = (await admin.type(key)) === 'zset';
      shown.push(key, ...(isSet ? await admin.zrange(key, '0', '-1') : [(await admin.get(key)) ?? '']));
    }
    return shown.join('\n');
  }

  test('leases and rate limits name no user, no address, no machine, no holder', async () => {
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

  test('the record of a console and an order to end it can not be read, and nobody else can write them', async () => {
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
    await sessions.claim(console);
    await createEndOrders({ ...shared, signals }).give({ kind: 'user', ref: 'alice' }, 'ended_by');
    const shown = await everything();
    expect(shown.split('\n').filter((line) => line.startsWith('porthole:'))).toHaveLength(3);
    expect(shown).not.toMatch(/alice|secret-cluster|session-1|connection-1|relay-1|ended_by/);

    const stranger = { ...shared, keys: () => ['x'.repeat(40)] };
    await createSessionRecords(stranger).claim(console);
    await createEndOrders({ ...stranger, signals }).give({ kind: 'session', ref: 'session-1' }, 'ended_by');
    expect(await sessions.find('session-1')).toBeUndefined();
    const orders = createEndOrders({ ...shared, signals });
    expect(
      await orders.against({ ...console, user: { id: 'bob', name: 'Bob', groups: [] } }),
    ).toBeUndefined();
  });

  test('every key expires, so nothing stays behind when all pods die', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.records.put('porthole:grant:1', 'v', 100);
    await store.leases.join('l', 'a', 1, 100);
    await store.leases.join('l', 'b', 1, 50);
    await store.leases.tryAcquire('m', 'a', 1, 100);
    await store.rateLimits.spend('alice', 1, 1);
    await eventually(async () => expect(await admin.keys('*')).toEqual([]));
  });

  test('a lease that everybody let go leaves nothing behind', async () => {
    const store = await open({ mode: 'standalone', url: server.url });
    await store.leases.join('l', 'a', 1, long);
    await store.leases.join('l', 'b', 1, long);
    await store.leases.release('l', 'a');
    await store.leases.release('l', 'b');
    expect(await admin.keys('*')).toEqual([]);
  });
});
