import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createRedisStore } from '@porthole/shared/store/redis/store';
import { sleep, systemClock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../../fakes/clock.ts';
import { startRedisServer, type RedisServer } from '../../../fakes/redis-server.ts';
import { describeWith } from '../../../needs.ts';
import { eventually } from '../../../eventually.ts';
import { recordedLog, storeTestKeys } from '../store-harness.ts';

/** A listener that counts the connections that are open, and answers nothing by itself. */
async function aListener(onConnection: (socket: Socket) => void, port = 0) {
  const open = new Set<Socket>();
  let total = 0;
  const server = createServer((socket) => {
    total++;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    onConnection(socket);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen.');
  return {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    open: () => open.size,
    total: () => total,
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function aStore(url: string) {
  const clock = createFakeClock();
  const { log, lines } = recordedLog();
  const store = createRedisStore({ redis: { mode: 'standalone', url }, keys: storeTestKeys, log, clock });
  return { store, clock, lines };
}

describeWith('redis')('the store on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  test('that is started twice has one subscription and one heartbeat, and leaves neither behind', async () => {
    const proxy = await aListener((socket) => {
      const upstream = connect(server.port, '127.0.0.1');
      socket.pipe(upstream).pipe(socket);
    });
    const { store, clock, lines } = aStore(proxy.url);
    await Promise.all([store.start(), store.start()]);
    await store.start();
    expect(clock.pending()).toBe(1);
    expect(proxy.total()).toBe(2);
    const heard: string[] = [];
    store.signals.subscribe((message) => heard.push(message));
    await store.signals.publish('once');
    await eventually(() => expect(heard).toEqual(['once']));
    await store.stop();
    expect(clock.pending()).toBe(0);
    await eventually(() => expect(proxy.open()).toBe(0));
    expect(proxy.total()).toBe(2);
    expect(lines).toEqual([]);
    await proxy.stop();
  });

  test('that is stopped before its start cannot be started', async () => {
    const { store, clock } = aStore(server.url);
    await store.stop();
    await expect(store.start()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(clock.pending()).toBe(0);
  });
});

test('the store on a Redis that never answers can be stopped while it starts, and leaves nothing behind', async () => {
  const silent = await aListener((socket) => socket.resume());
  const { store, clock, lines } = aStore(silent.url);
  const started = store.start();
  await eventually(() => expect(silent.open()).toBe(2));
  await Promise.all([store.stop(), started]);
  expect(clock.pending()).toBe(0);
  await eventually(() => expect(silent.open()).toBe(0));
  expect(silent.total()).toBe(2);
  expect(lines).toEqual([]);
  await silent.stop();
});

test('the store on a Redis that is away can be stopped while it retries, and retries no more', async () => {
  const { port, url, stop } = await aListener(() => {});
  await stop();
  const { store, clock, lines } = aStore(url);
  await store.start();
  expect(clock.pending()).toBe(1);
  await store.stop();
  expect(clock.pending()).toBe(0);
  const linesBefore = lines.length;
  const back = await aListener((socket) => socket.destroy(), port);
  // Longer than the first pauses between attempts.
  await sleep(systemClock, 400);
  expect(back.total()).toBe(0);
  expect(lines).toHaveLength(linesBefore);
  await back.stop();
});
