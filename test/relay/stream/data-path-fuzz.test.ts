import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { startPump } from '@porthole/relay/stream/pump';
import { createProxmoxLink } from '@porthole/relay/upstream/proxmox-link';
import { createFakeClock } from '../../fakes/clock.ts';
import { randomChunks } from '../chunks.ts';
import { createSeededRandom, type SeededRandom } from '../seeded-random.ts';
import { createMemorySocket } from '../upstream/memory-socket.ts';
import { createMemoryViewer } from '../viewer/memory-viewer.ts';
import { clientFrame, serverFrame } from '../websocket-frames.ts';
import { clientMessageTypesIn, readAsBrowser, readAsProxmox } from './read-sent-frames.ts';

/** One batcher for all, as in the relay: it has a buffer of 128 KiB. */
const turns: (() => void)[] = [];
const batcher = createFrameBatcher((turn) => void turns.push(turn));

/** The complete data path of a console, with both connections in memory. */
function createDataPath(mode: 'view' | 'control') {
  const clock = createFakeClock();
  const { socket, tlsSocket } = createMemorySocket();
  const { viewer, receive, sent, destroy } = createMemoryViewer({ batcher, clock });
  const machine = createProxmoxLink(tlsSocket);
  let end = 'open';
  startPump(
    {
      clock,
      viewer: viewer.link,
      machine,
      viewerLeftover: () => Buffer.alloc(0),
      machineLeftover: () => Buffer.alloc(0),
      filter: new ClientMessageFilter({ viewOnly: mode === 'view', onHumanInput() {} }),
    },
    { count() {}, onEnd: (side, error) => (end = `${side} ${error?.code ?? ''}`) },
  );
  return {
    receiveFromBrowser: receive,
    receiveFromProxmox: (chunk: Buffer) => machine.onRead(chunk, chunk.length),
    endTurn: () => turns.splice(0).forEach((turn) => turn()),
    sentToProxmox: () => Buffer.concat(socket.written),
    sentToBrowser: sent,
    /** `open`, or the side and the error that ended the stream. */
    end: () => end,
    destroy,
  };
}

const messages = [
  Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]),
  Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]),
  Buffer.from([2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xc4]),
  Buffer.from([3, 1, 0, 0, 0, 0, 0, 8, 0, 8]),
  Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x78]),
  Buffer.from([5, 1, 0, 9, 0, 9]),
  Buffer.from([6, 0, 0, 0, 0, 0, 0, 2, 0x6e, 0x6f]),
  Buffer.from([150, 1, 0, 0, 0, 0, 0, 8, 0, 8]),
  Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 2, 7, 7]),
  Buffer.from([250, 0, 1, 2]),
  Buffer.from([251, 0, 0, 9, 0, 9, 1, 0, ...Buffer.alloc(16)]),
  Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x78, 0, 0, 0, 45]),
];
/** Types of messages that do not affect the machine. */
const viewTypes: ReadonlySet<number> = new Set([0, 2, 3, 150, 248]);
const messagesPerStream = 12;

/**
 * Messages in valid and invalid frames: some fragmented, some with control frames in between, some with wrong bytes.
 */
function createBrowserStream(random: SeededRandom): Buffer {
  const frames: Buffer[] = [];
  for (let i = 0; i < messagesPerStream; i++) {
    const payload = Buffer.from(messages[random(messages.length)] ?? '');
    // A wrong byte in a message.
    if (random(40) === 0) payload[random(payload.length)] = random(256);
    const cut = random(6) === 0 ? random(payload.length) : 0;
    if (cut > 0) frames.push(clientFrame({ opcode: 2, final: false, payload: payload.subarray(0, cut) }));
    if (random(12) === 0) frames.push(clientFrame({ opcode: 9 + random(2), payload: Buffer.from('?') }));
    frames.push(clientFrame({ opcode: cut > 0 ? 0 : 2, payload: payload.subarray(cut) }));
  }
  const bytes = Buffer.concat(frames);
  // Wrong bytes anywhere.
  if (random(2) === 0)
    for (let flips = random(3); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
  return bytes;
}

function createProxmoxStream(random: SeededRandom): Buffer {
  const frames = Array.from({ length: messagesPerStream }, () =>
    serverFrame(random(12) === 0 ? 10 : 2, Buffer.alloc(random(60), random(256))),
  );
  const bytes = Buffer.concat(frames);
  if (random(2) === 0) bytes[random(bytes.length)] = random(256);
  return bytes;
}

interface Result {
  readonly end: string;
  readonly payload: Buffer;
}

function expectSameResult(one: Result, other: Result, stream: number, bytes: Buffer): void {
  if (one.end !== other.end || !one.payload.equals(other.payload))
    throw new Error(`stream ${stream} has two results: ${one.end}, ${other.end}: ${bytes.toString('hex')}`);
}

async function resultOfBrowserStream(mode: 'view' | 'control', chunks: readonly Buffer[]): Promise<Result> {
  const path = createDataPath(mode);
  for (const chunk of chunks) await path.receiveFromBrowser(chunk);
  const result = { end: path.end(), payload: readAsProxmox(path.sentToProxmox()) };
  path.destroy();
  return result;
}

/** Together a million frames and messages, because each stream is read twice. */
const streams = 28_000;

describe('a million frames and messages, random and damaged', () => {
  test.each(['view', 'control'] as const)(
    'of browsers have the same result in random chunks, and send nothing forbidden in mode %s',
    async (mode) => {
      const random = createSeededRandom(mode === 'view' ? 1 : 2);
      let ended = 0;
      for (let stream = 0; stream < streams / 2; stream++) {
        const bytes = createBrowserStream(random);
        const result = await resultOfBrowserStream(mode, [bytes]);
        const inChunks = await resultOfBrowserStream(mode, randomChunks(bytes, random));
        expectSameResult(result, inChunks, stream, bytes);
        if (result.end !== 'open') ended++;
        if (mode === 'view')
          for (const type of clientMessageTypesIn(result.payload))
            if (!viewTypes.has(type))
              throw new Error(`stream ${stream} had ${type} forwarded: ${bytes.toString('hex')}`);
      }
      // The streams cover both outcomes.
      expect(ended).toBeGreaterThan(streams / 20);
      expect(ended).toBeLessThan(streams / 2);
    },
    120_000,
  );

  test('of Proxmox reach the browser completely, or end the console', () => {
    const random = createSeededRandom(3);
    let ended = 0;
    for (let stream = 0; stream < streams / 2; stream++) {
      const bytes = createProxmoxStream(random);
      const [result, inChunks] = [[Buffer.from(bytes)], randomChunks(bytes, random)].map((chunks) => {
        const path = createDataPath('control');
        for (const chunk of chunks) {
          path.receiveFromProxmox(chunk);
          if (random(3) === 0) path.endTurn();
        }
        path.endTurn();
        const outcome = { end: path.end(), payload: readAsBrowser(path.sentToBrowser()) };
        path.destroy();
        return outcome;
      });
      if (!result || !inChunks) continue;
      expectSameResult(result, inChunks, stream, bytes);
      if (result.end !== 'open') ended++;
    }
    expect(ended).toBeGreaterThan(streams / 100);
  }, 120_000);
});

test('a browser’s messages have the same result when cut at each byte', async () => {
  const bytes = Buffer.concat(
    messages.map((payload, i) => clientFrame({ opcode: 2, payload, mask: [i, 2, 3, 4] })),
  );
  const payloadOf = async (chunks: readonly Buffer[]) =>
    (await resultOfBrowserStream('control', chunks)).payload.toString('hex');
  const expected = await payloadOf([bytes]);
  expect(expected.length).toBeGreaterThan(200);
  for (let at = 1; at < bytes.length; at++)
    expect(await payloadOf([bytes.subarray(0, at), bytes.subarray(at)])).toBe(expected);
});
