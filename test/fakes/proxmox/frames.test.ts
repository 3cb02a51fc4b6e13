import { assert, integer, property, uint8Array } from 'fast-check';
import { createRandom } from './random.ts';
import { cutIntoFrames, largestFrame, readClientFrame, serverFrame } from './websocket-frames.ts';
import type { FrameChange, RudeClient } from './rude-client.ts';
import { byToken, startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster | undefined;
afterEach(async () => {
  await cluster?.fake.close();
  cluster = undefined;
});

async function openConsole(on: Cluster, headers: Record<string, string> = {}): Promise<RudeClient> {
  const client = await on.upgrade({ ...(await on.vncproxy()), headers: { ...byToken, ...headers } });
  await client.untilOutput('RFB');
  return client;
}

test('the subprotocol header is echoed verbatim, also a list; extensions are not', async () => {
  cluster = await startCluster();
  const headOf = async (headers: Record<string, string>) =>
    (await (await openConsole(cluster!, headers)).head()).split('\r\n');
  expect(await headOf({ 'sec-websocket-protocol': 'binary,base64' })).toEqual([
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'Sec-WebSocket-Protocol: binary,base64',
  ]);
  expect(await headOf({ 'sec-websocket-extensions': 'permessage-deflate' })).toHaveLength(4);
});

test('text frames, empty frames, single bytes and the largest frame all arrive as bytes', async () => {
  cluster = await startCluster();
  const client = await openConsole(cluster);
  client.sendFrame(1, 'text');
  client.sendFrame(2, '');
  client.sendFrame(10, 'unasked pong');
  client.sendFrame(2, 'b');
  client.sendFrame(2, Buffer.alloc(largestFrame, 'x'));
  await until(() => cluster!.guest.received().length === 5 + largestFrame);
  expect(cluster.guest.received().startsWith('textbxxx')).toBe(true);
  expect(cluster.fake.violations).toEqual([]);
});

test('a ping is answered with its payload', async () => {
  cluster = await startCluster();
  const client = await openConsole(cluster);
  client.sendFrame(9, 'are you there');
  await until(() =>
    client.frames().some(({ first, payload }) => first === 0x8a && payload.toString() === 'are you there'),
  );
});

test('a close frame ends the connection without a close frame in response', async () => {
  cluster = await startCluster();
  const client = await openConsole(cluster);
  client.sendFrame(8, Buffer.from([0x03, 0xe8]));
  await client.untilEnded();
  expect(client.frames().map(({ first }) => first)).toEqual(client.frames().map(() => 0x82));
  await until(
    () => cluster!.guest.connections[0]?.writableEnded !== undefined && cluster!.fake.openConsoles() === 0,
  );
});

const violations: [string, number, Buffer | string, FrameChange][] = [
  ['too large', 2, Buffer.alloc(largestFrame + 1), {}],
  ['fragmented', 2, 'x', { fin: false }],
  ['unmasked', 2, 'x', { masked: false }],
  ['reserved bits', 2, 'x', { rsv: 4 }],
  ['unknown opcode', 3, 'x', {}],
];

test.each(violations)(
  'with libev a frame that is %s leaves a dead connection open',
  async (rule, opcode, payload, change) => {
    cluster = await startCluster();
    const client = await openConsole(cluster);
    client.sendFrame(opcode, payload, change);
    client.sendFrame(2, 'never read');
    client.sendFrame(9, 'never answered');
    await until(() => cluster!.fake.violations.length === 1);
    expect(cluster.fake.violations).toEqual([{ node: 'pve1', vmid: 100, rule }]);
    cluster.clock.advance(60_000);
    await cluster.call('GET', '/version');
    expect(client.ended).toBe(false);
    expect(cluster.guest.received()).toBe('');
  },
);

test.each(violations)(
  'without libev a frame that is %s ends the worker after five seconds',
  async (rule, opcode, payload, change) => {
    cluster = await startCluster({ eventLoop: 'perl', pveproxyWorkers: 1 });
    const [client, bystander] = [await openConsole(cluster), await openConsole(cluster)];
    client.sendFrame(opcode, payload, change);
    await until(() => cluster!.fake.violations[0]?.rule === rule);
    cluster.clock.advance(4999);
    await cluster.call('GET', '/version', { node: 'pve2' });
    expect(bystander.ended).toBe(false);
    cluster.clock.advance(1);
    await Promise.all([client.untilEnded(), bystander.untilEnded()]);
  },
);

test('frames of the server are final, binary, unmasked and cut anywhere', async () => {
  cluster = await startCluster();
  const client = await openConsole(cluster);
  cluster.guest.connections[0]?.write(Buffer.alloc(1_000_000, 'y'));
  await until(() => client.output().length === 12 + 1_000_000);
  const sizes = client.frames().map(({ payload }) => payload.length);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(largestFrame);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
  expect(new Set(sizes).size).toBeGreaterThan(3);
});

test('cutting loses nothing, whatever the bytes', () => {
  assert(
    property(uint8Array({ maxLength: 5000 }), integer(), (bytes, seed) => {
      const frames = cutIntoFrames(Buffer.from(bytes), createRandom(seed));
      const payloads = frames.map((frame) => frame.subarray(frame.readUInt8(1) === 126 ? 4 : 2));
      expect(Buffer.concat(payloads).equals(bytes)).toBe(true);
      expect(payloads.every(({ length }) => length > 0)).toBe(true);
    }),
  );
});

test('the same seed cuts the same way', () => {
  const cut = (seed: number) =>
    cutIntoFrames(Buffer.alloc(100_000), createRandom(seed)).map(({ length }) => length);
  expect(cut(7)).toEqual(cut(7));
  expect(cut(7)).not.toEqual(cut(8));
});

test('a frame that is not complete waits for the rest', () => {
  const frame = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 0x61, 0x62, 0x63]);
  for (let length = 0; length < frame.length; length++)
    expect(readClientFrame(frame.subarray(0, length))).toBeNull();
  expect(readClientFrame(frame)?.frame).toEqual({ opcode: 2, payload: Buffer.from('abc') });
});

test('lengths take two, four or ten bytes', () => {
  const headLength = (length: number) => serverFrame(2, Buffer.alloc(length)).length - length;
  expect([125, 126, 65535, 65536].map(headLength)).toEqual([2, 4, 4, 10]);
});
