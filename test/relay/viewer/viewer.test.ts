import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { PortholeError } from '@porthole/shared/errors';
import { abandonedCode } from '@porthole/shared/protocol/close-codes';
import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { createViewer } from '@porthole/relay/viewer/viewer';
import { createViewerSocketServer } from '@porthole/relay/viewer/viewer-socket';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { binaryFrame, clientFrame } from '../websocket-frames.ts';
import { upgrade } from './memory-viewer.ts';

const sockets = createViewerSocketServer({ protocols: ['porthole.v1'], closeTimeoutMs: 300 });

/** A viewer on a real TCP connection. The test writes what its browser sends. */
async function connectViewer() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [connection] = (await once(server, 'connection')) as [Socket];
  server.close();
  let sent = Buffer.alloc(0);
  browser.on('data', (chunk: Buffer) => (sent = Buffer.concat([sent, chunk])));
  browser.on('error', () => {});
  const socket = upgrade(connection, sockets);
  await eventually('the handshake is done', () => sent.includes('\r\n\r\n'));
  sent = Buffer.alloc(0);
  const clock = createFakeClock(0);
  const texts: string[] = [];
  const pongs: number[] = [];
  const viewer = createViewer({
    socket,
    connection,
    batcher: createFrameBatcher(),
    clock,
    onText: (text) => void texts.push(text),
    onPong: (seconds) => void pongs.push(seconds),
    pingMs: defaultDeadlines.ping,
  });
  const received: string[] = [];
  const ends: (string | undefined)[] = [];
  viewer.link.setHandler({
    onBytes: (source, start, end) => void received.push(source.toString('latin1', start, end)),
    onEnded: (error) => void ends.push(error?.code),
  });
  return { viewer, clock, connection, browser, received, texts, pongs, ends, sent: () => sent };
}

/** A ping of the relay, and the viewer's answer. Its payload is the time at which it was sent. */
const pingAt = (time: number) =>
  Buffer.concat([Buffer.from([0x89, String(time).length]), Buffer.from(String(time))]);
const pongTo = (time: number) => clientFrame({ opcode: 10, payload: Buffer.from(String(time)) });

test('a viewer is pinged every 20 seconds, and disconnected at the second ping without an answer', async () => {
  const { clock, connection, sent, ends } = await connectViewer();
  clock.advance(20_000);
  await eventually('the ping', () => sent().equals(pingAt(20_000)));
  expect(connection.destroyed).toBe(false);
  clock.advance(20_000);
  expect(connection.destroyed).toBe(true);
  await eventually('its end was reported', () => ends.length === 1);
  expect(clock.pending()).toBe(0);
});

test('a viewer that answers pings stays connected, and the time of the answered ping is known', async () => {
  const { viewer, clock, connection, browser } = await connectViewer();
  for (let round = 1; round < 6; round++) {
    clock.advance(20_000);
    browser.write(pongTo(round * 20_000));
    await eventually('the pong', () => viewer.lastAnsweredPingAt === round * 20_000);
  }
  expect(connection.destroyed).toBe(false);
  browser.destroy();
});

test('“the page could not resume”: a late pong answers the ping that it belongs to, and no later one', async () => {
  const { viewer, clock, browser, received, pongs } = await connectViewer();
  clock.advance(20_000);
  // The answer is on its way for longer than the interval: it waited behind a large picture.
  browser.write(binaryFrame(Buffer.from('1')));
  await eventually('the first bytes', () => received.length === 1);
  clock.advance(20_000);
  clock.advance(1000);
  browser.write(pongTo(20_000));
  await eventually('the pong', () => pongs.length === 1);
  expect(viewer.lastAnsweredPingAt).toBe(20_000);
  browser.write(pongTo(40_000));
  await eventually('the next pong', () => pongs.length === 2);
  expect(viewer.lastAnsweredPingAt).toBe(40_000);
  expect(pongs).toEqual([21, 1]);
  browser.destroy();
});

test('an unsolicited pong answers no ping', async () => {
  const { viewer, browser, received, clock, pongs } = await connectViewer();
  clock.advance(20_000);
  browser.write(
    Buffer.concat([
      ...[0, 19_999, 20_001, 40_000].map(pongTo),
      clientFrame({ opcode: 10, payload: Buffer.alloc(0) }),
      clientFrame({ opcode: 10, payload: Buffer.alloc(125, '9') }),
      binaryFrame(Buffer.from('.')),
    ]),
  );
  await eventually('the bytes', () => received.length === 1);
  expect(viewer.lastAnsweredPingAt).toBe(0);
  browser.write(Buffer.concat([pongTo(20_000), pongTo(20_000), binaryFrame(Buffer.from('.'))]));
  await eventually('more bytes', () => received.length === 2);
  expect(pongs).toHaveLength(1);
  browser.destroy();
});

test('pings are answered with their payload', async () => {
  const { browser, sent } = await connectViewer();
  browser.write(
    Buffer.concat(['one', 'two'].map((text) => clientFrame({ opcode: 9, payload: Buffer.from(text) }))),
  );
  await eventually('both pongs', () => sent().includes('one') && sent().includes('two'));
  browser.destroy();
});

test('a flood of pings from a viewer that reads no answer ends the connection', async () => {
  const { browser, connection, viewer } = await connectViewer();
  browser.pause();
  while (viewer.link.send(Buffer.alloc(64 * 1024))) await new Promise(setImmediate);
  browser.write(
    Buffer.concat(Array.from({ length: 100 }, () => clientFrame({ opcode: 9, payload: Buffer.alloc(100) }))),
  );
  await eventually('the connection is closed', () => connection.destroyed);
  browser.destroy();
});

test('a close frame is answered with its code, and the viewer does not count as lost', async () => {
  const { viewer, browser, sent, ends } = await connectViewer();
  const closed = once(browser, 'close');
  browser.write(clientFrame({ opcode: 8, payload: Buffer.from([0x0f, 0xa1]) }));
  await closed;
  await eventually('its end was reported', () => ends.length === 1);
  expect(ends).toEqual([undefined]);
  expect(sent()).toEqual(Buffer.from([0x88, 2, 0x0f, 0xa1]));
  expect(viewer.lost).toBe(false);
});

test.each(['end', 'resetAndDestroy'] as const)(
  'a viewer that disconnects without a close frame (%s) counts as lost at once',
  async (how) => {
    const { viewer, browser, ends } = await connectViewer();
    browser[how]();
    await eventually('its end was reported', () => ends.length === 1);
    expect(viewer.lost).toBe(true);
    browser.destroy();
  },
);

test('a close follows what was sent before it, and the connection ends without an answer after the close timeout', async () => {
  const { viewer, connection, browser, sent } = await connectViewer();
  viewer.link.send(Buffer.from('last'));
  const error = new PortholeError('idle');
  viewer.close(error);
  viewer.link.send(Buffer.from('late'));
  await eventually('the close frame', () => sent().includes(error.message));
  expect(sent().subarray(0, 6)).toEqual(Buffer.from([0x82, 4, ...Buffer.from('last')]));
  expect(sent().includes('late')).toBe(false);
  await eventually('the connection is closed', () => connection.destroyed);
  browser.destroy();
});

test('what a viewer sends after the relay’s close frame has no effect', async () => {
  const { viewer, browser, received, texts, connection } = await connectViewer();
  viewer.close(new PortholeError('idle'));
  browser.write(
    Buffer.concat([binaryFrame(Buffer.from('key')), clientFrame({ opcode: 1, payload: Buffer.from('{}') })]),
  );
  await eventually('the connection is closed', () => connection.destroyed);
  expect([received, texts]).toEqual([[], []]);
  browser.destroy();
});

test('a viewer that does not read is reported as behind, and as drained when it has caught up', async () => {
  const { viewer, browser } = await connectViewer();
  browser.pause();
  let drained = false;
  viewer.link.setHandler({ onBytes() {}, onEnded() {}, onDrained: () => (drained = true) });
  const chunk = Buffer.alloc(64 * 1024);
  while (viewer.link.send(chunk)) await new Promise(setImmediate);
  expect(viewer.link.buffered).toBeGreaterThan(0);
  expect(drained).toBe(false);
  browser.resume();
  await eventually('everything was sent', () => drained && viewer.link.buffered === 0);
  browser.destroy();
});

test('“the session was gone when the network came back”: a connection that the page gave up counts as lost', async () => {
  const { viewer, browser, ends } = await connectViewer();
  const code = Buffer.alloc(2);
  code.writeUInt16BE(abandonedCode);
  browser.write(clientFrame({ opcode: 8, payload: code }));
  await eventually('its end was reported', () => ends.length === 1);
  expect(viewer.lost).toBe(true);
  browser.destroy();
});
