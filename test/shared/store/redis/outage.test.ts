import { once } from 'node:events';
import { createServer } from 'node:net';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { describeWith } from '../../../needs.ts';
import { eventually, recordedLog, redisStores, refusalOf } from '../store-harness.ts';

const long = 600_000;
const down = { code: 'store_unavailable' };

describeWith('redis')('the store on Redis, in an outage', () => {
  const { open } = redisStores();
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedisServer();
  });
  afterEach(() => server.stop());

  const address = () => ({ mode: 'standalone', url: server.url }) as const;

  test('it starts while Redis is away, refuses calls, and serves them once Redis is there', async () => {
    await server.kill();
    const store = await open(address());
    expect(await store.healthy()).toBe(false);
    expect(await refusalOf(store.records.put('k', 'v', long))).toMatchObject(down);
    expect(await refusalOf(store.records.get('k'))).toMatchObject(down);
    expect(await refusalOf(store.leases.join('l', 'h', 1, long))).toMatchObject(down);
    expect(await refusalOf(store.signals.publish('m'))).toMatchObject(down);

    await server.restart();
    await eventually(() => store.records.put('k', 'v', long));
    expect(await store.records.get('k')).toBe('v');
    expect(await store.leases.join('l', 'h', 1, long)).toBe(0);
    expect(await store.healthy()).toBe(true);
  });

  test('after a crash of Redis everything works again, and signals are heard without subscribing anew', async () => {
    const [store, other] = [await open(address()), await open(address())];
    const heard: string[] = [];
    store.signals.subscribe((message) => heard.push(message));
    await other.leases.join('l', 'h', 1, long);
    await server.kill();
    await eventually(async () => expect(await other.healthy()).toBe(false));

    await server.restart();
    await eventually(async () => {
      await other.signals.publish('back?');
      expect(heard).toContain('back?');
    });
    // It forgot its scripts, too.
    expect(await other.leases.join('l', 'h', 1, long)).toBe(0);
  });

  test('a Redis that hangs is given up after a while, and used again when it goes on', async () => {
    const store = await open(address());
    await store.records.put('k', 'v', long);
    server.pause();
    expect(await store.healthy()).toBe(false);
    expect(await refusalOf(store.records.get('k'))).toMatchObject(down);
    server.resume();
    await eventually(async () => expect(await store.records.get('k')).toBe('v'));
  });

  test('it starts on a Redis that hangs, too', async () => {
    server.pause();
    const store = await open(address());
    expect(await store.healthy()).toBe(false);
    server.resume();
    await eventually(async () => expect(await store.healthy()).toBe(true));
  });

  test('rate limits go on, counted in this process alone', async () => {
    const store = await open(address());
    await server.kill();
    await eventually(async () => expect(await store.healthy()).toBe(false));
    await store.rateLimits.spend('alice', 2, 600);
    await store.rateLimits.spend('alice', 2, 600);
    expect(await refusalOf(store.rateLimits.spend('alice', 2, 600))).toMatchObject({ code: 'rate_limited' });
    await store.rateLimits.spend('bob', 2, 600);
  });

  test('the log has one line for an outage, however often it is retried, and one for its end', async () => {
    const { log, lines, linesWith } = recordedLog();
    const store = await open(address(), log);
    await server.kill();
    await eventually(() => expect(linesWith('redis is unavailable')).toHaveLength(1));
    // A listener that hangs up counts how often both connections are tried.
    let tries = 0;
    const impostor = createServer((socket) => {
      tries++;
      socket.resetAndDestroy();
    }).listen(server.port, '127.0.0.1');
    await eventually(() => expect(tries).toBeGreaterThan(4));
    impostor.close();
    await once(impostor, 'close');
    await server.restart();
    await eventually(() => expect(linesWith('redis is available again')).toHaveLength(1));
    expect(await store.healthy()).toBe(true);
    // Refused connections and those cut off are two kinds of errors.
    expect(linesWith('redis is unavailable').length).toBeLessThanOrEqual(2);
    expect(lines.length).toBeLessThanOrEqual(3);
  });

  test('somebody who hangs up on every connection is an outage that the log tells', async () => {
    await server.kill();
    const impostor = createServer((socket) => socket.end()).listen(server.port, '127.0.0.1');
    await once(impostor, 'listening');
    const { log, linesWith } = recordedLog();
    const store = await open(address(), log);
    await eventually(() => expect(linesWith('redis is unavailable').length).toBeGreaterThan(0));
    await store.stop();
    impostor.close();
  });
});
