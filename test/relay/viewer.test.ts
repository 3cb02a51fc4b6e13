import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { PortholeError } from '@porthole/shared/errors';
import { defaultDeadlines } from '@porthole/relay/session/deadlines';
import { createGather } from '@porthole/relay/stream/gather';
import { createViewer } from '@porthole/relay/viewer/viewer';
import { createFakeClock } from '../fakes/clock.ts';
import { eventually } from '../eventually.ts';
import { binaryFrame, wireFrame } from './wire.ts';

/** A viewer at one end of a real connection, a browser that does what it is told at the other. */
async function pair() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  let seen = Buffer.alloc(0);
  browser.on('data', (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
  browser.on('error', () => {});
  const clock = createFakeClock(0);
  const viewer = createViewer({
    browser: { socket, head: Buffer.alloc(0), protocol: 'porthole.v1' },
    gather: createGather(),
    clock,
    onText: () => {},
    pingMs: defaultDeadlines.ping,
  });
  const heard: string[] = [];
  const ends: (string | undefined)[] = [];
  viewer.link.handle({
    bytes: (source, start, end) => void heard.push(source.toString('latin1', start, end)),
    ended: (error) => void ends.push(error?.code),
  });
  return { viewer, clock, socket, browser, heard, ends, seen: () => seen };
}

test('a viewer is pinged every 20 seconds, and is gone after 50 without an answer', async () => {
  const { clock, socket, seen, ends } = await pair();
  clock.advance(20_000);
  await eventually('the ping', () => seen().equals(Buffer.from([0x89, 0])));
  clock.advance(20_000);
  expect(socket.destroyed).toBe(false);
  clock.advance(20_000);
  expect(socket.destroyed).toBe(true);
  await eventually('its end was told', () => ends.length === 1);
});

test('a viewer that answers pings stays', async () => {
  const { clock, socket, browser, heard } = await pair();
  for (let round = 1; round < 6; round++) {
    clock.advance(20_000);
    browser.write(
      Buffer.concat([wireFrame({ opcode: 10, payload: Buffer.alloc(0) }), binaryFrame(Buffer.from('.'))]),
    );
    await eventually('it was heard', () => heard.join('').length === round);
  }
  expect(socket.destroyed).toBe(false);
  browser.destroy();
});

test('many pings at once are answered by the last one’s pong', async () => {
  const { browser, seen } = await pair();
  const pings = ['one', 'two', 'end'].map((text) => wireFrame({ opcode: 9, payload: Buffer.from(text) }));
  browser.write(Buffer.concat(pings));
  await eventually('the last is answered', () => seen().includes('end'));
  browser.destroy();
});

test('a goodbye is answered with its code, and the connection ends', async () => {
  const { viewer, browser, seen, ends } = await pair();
  const closed = once(browser, 'close');
  browser.write(wireFrame({ opcode: 8, payload: Buffer.from([0x0f, 0xa1]) }));
  await eventually('it ended', () => ends.length === 1);
  viewer.destroy();
  await closed;
  expect(ends).toEqual([undefined]);
  expect(seen()).toEqual(Buffer.from([0x88, 2, 0x0f, 0xa1]));
});

test('a typed close goes out behind what was sent before it, and waits five seconds for its answer', async () => {
  const { viewer, clock, socket, browser, seen } = await pair();
  viewer.link.send(Buffer.from('last'));
  viewer.close(new PortholeError('idle'));
  viewer.link.send(Buffer.from('late'));
  await eventually('the close', () => seen().includes('nobody used it'));
  expect(seen().subarray(0, 6)).toEqual(Buffer.from([0x82, 4, ...Buffer.from('last')]));
  expect(seen().includes('late')).toBe(false);
  expect(socket.destroyed).toBe(false);
  clock.advance(5000);
  expect(socket.destroyed).toBe(true);
  browser.destroy();
});

test('a viewer that reads nothing is told to be behind, and told when it is not any more', async () => {
  const { viewer, browser } = await pair();
  browser.pause();
  let drained = false;
  viewer.link.handle({ bytes() {}, ended() {}, drained: () => (drained = true) });
  const chunk = Buffer.alloc(64 * 1024);
  while (viewer.link.send(chunk)) await new Promise(setImmediate);
  expect(viewer.link.buffered).toBeGreaterThan(0);
  expect(drained).toBe(false);
  browser.resume();
  await eventually('everything left', () => drained && viewer.link.buffered === 0);
  browser.destroy();
});
