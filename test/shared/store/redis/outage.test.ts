import { once } from 'node:events';
import { createServer } from 'node:net';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import type { StandaloneOptions } from '@porthole/shared/store/redis/options';
import { describeWith } from '../../../needs.ts';
import { eventually } from '../../../eventually.ts';
import { recordedLog, withRedisStores, type OpenStore, rejectionOf } from '../store-harness.ts';

const long = 600_000;
const down = { code: 'store_unavailable' };

interface Site {
  readonly server: RedisServer;
  readonly open: OpenStore;
  readonly address: StandaloneOptions;
}

/** Runs `steps` with a server of its own, so that the tests can run concurrently: they mostly wait. */
async function atServer(steps: (site: Site) => Promise<void>): Promise<void> {
  const server = await startRedisServer();
  try {
    await withRedisStores((open) =>
      steps({ server, open, address: { mode: 'standalone', url: server.url } }),
    );
  } finally {
    await server.stop();
  }
}

describeWith('redis')('the store on Redis, in an outage', () => {
  test.concurrent(
    'it starts while Redis is unavailable, rejects calls, and serves them once Redis is available',
    () =>
      atServer(async ({ server, open, address }) => {
        await server.kill();
        const store = await open(address);
        expect(await store.healthy()).toBe(false);
        expect(await rejectionOf(store.records.put('k', 'v', long))).toMatchObject(down);
        expect(await rejectionOf(store.records.get('k'))).toMatchObject(down);
        expect(await rejectionOf(store.leases.join('l', 'h', 1, long))).toMatchObject(down);
        expect(await rejectionOf(store.signals.publish('m'))).toMatchObject(down);

        await server.restart();
        await eventually(() => store.records.put('k', 'v', long));
        expect(await store.records.get('k')).toBe('v');
        expect(await store.leases.join('l', 'h', 1, long)).toBe(0);
        expect(await store.healthy()).toBe(true);
      }),
  );

  test.concurrent('after a crash of Redis, calls and existing subscriptions work again', () =>
    atServer(async ({ server, open, address }) => {
      const [store, other] = [await open(address), await open(address)];
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
      // It has also lost the scripts.
      expect(await other.leases.join('l', 'h', 1, long)).toBe(0);
    }),
  );

  test.concurrent('calls to a Redis that hangs time out, and work again when it continues', () =>
    atServer(async ({ server, open, address }) => {
      const store = await open(address);
      await store.records.put('k', 'v', long);
      server.pause();
      expect(await store.healthy()).toBe(false);
      expect(await rejectionOf(store.records.get('k'))).toMatchObject(down);
      server.resume();
      await eventually(async () => expect(await store.records.get('k')).toBe('v'));
    }),
  );

  test.concurrent('it starts on a Redis that hangs', () =>
    atServer(async ({ server, open, address }) => {
      server.pause();
      const store = await open(address);
      expect(await store.healthy()).toBe(false);
      server.resume();
      await eventually(async () => expect(await store.healthy()).toBe(true));
    }),
  );

  test.concurrent('rate limits are counted in this process', () =>
    atServer(async ({ server, open, address }) => {
      const store = await open(address);
      await server.kill();
      await eventually(async () => expect(await store.healthy()).toBe(false));
      await store.rateLimits.spend('alice', 2, 600);
      await store.rateLimits.spend('alice', 2, 600);
      expect(await rejectionOf(store.rateLimits.spend('alice', 2, 600))).toMatchObject({
        code: 'rate_limited',
      });
      await store.rateLimits.spend('bob', 2, 600);
    }),
  );

  test.concurrent('an outage is one log line, however many attempts there are, and its end is another', () =>
    atServer(async ({ server, open, address }) => {
      const { log, lines, linesWith } = recordedLog();
      const store = await open(address, log);
      await server.kill();
      await eventually(() => expect(linesWith('redis is unavailable')).toHaveLength(1));
      // Counts the attempts of both connections.
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
      // Refused and reset connections are two kinds of errors.
      expect(linesWith('redis is unavailable').length).toBeLessThanOrEqual(2);
      expect(lines.length).toBeLessThanOrEqual(3);
    }),
  );

  test.concurrent('a server that closes every connection is a logged outage', () =>
    atServer(async ({ server, open, address }) => {
      await server.kill();
      const impostor = createServer((socket) => socket.end()).listen(server.port, '127.0.0.1');
      await once(impostor, 'listening');
      const { log, linesWith } = recordedLog();
      const store = await open(address, log);
      await eventually(() => expect(linesWith('redis is unavailable').length).toBeGreaterThan(0));
      await store.stop();
      impostor.close();
    }),
  );
});
