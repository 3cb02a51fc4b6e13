import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxFrameReader } from '@porthole/relay/upstream/proxmox-frame-reader';
import { randomChunks } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { binaryFrame, serverFrame } from '../websocket-frames.ts';

/** Reads chunks of a stream. Returns the payload, and how the stream ended. */
function readFrames(chunks: readonly Buffer[]): string {
  let payload = '';
  let end = '';
  const reader = createProxmoxFrameReader({
    onPong() {},
    onPayload: (source, start, stop) => (payload += source.toString('latin1', start, stop)),
    onClosed: () => (end = ' close'),
  });
  try {
    for (const chunk of chunks) reader.read(chunk, chunk.length);
  } catch (error) {
    if (!(error instanceof PortholeError)) throw error;
    end = ` ${error.code}`;
  }
  return payload + end;
}

describe('the frames of Proxmox', () => {
  const stream = Buffer.concat([
    serverFrame(2, Buffer.from('a')),
    serverFrame(2, Buffer.alloc(0)),
    serverFrame(10, Buffer.from('pong')),
    serverFrame(2, Buffer.alloc(200, 'b')),
    serverFrame(2, Buffer.alloc(66_000, 'c')),
    serverFrame(8, Buffer.alloc(0)),
    serverFrame(2, Buffer.from('late')),
  ]);

  test('have the same payload in whatever chunks they arrive', () => {
    const expected = `a${'b'.repeat(200)}${'c'.repeat(66_000)} close`;
    expect(readFrames([stream])).toBe(expected);
    const random = createSeededRandom(1);
    for (let at = 1; at < 400; at++)
      expect(readFrames([stream.subarray(0, at), stream.subarray(at)])).toBe(expected);
    for (let round = 0; round < 20; round++) expect(readFrames(randomChunks(stream, random))).toBe(expected);
  });

  test.each<[string, Buffer]>([
    ['a masked frame', binaryFrame(Buffer.from('x'))],
    ['a text frame', serverFrame(1, Buffer.from('x'))],
    ['a fragment', Buffer.from([0x02, 1, 0])],
    ['a compressed frame', Buffer.from([0xc2, 1, 0])],
    ['a frame above 128 KiB', serverFrame(2, Buffer.alloc(128 * 1024 + 1))],
    ['a frame of 2^63 bytes', Buffer.from('827fffffffffffffffff', 'hex')],
  ])('end the console at %s', (_, bytes) => {
    expect(readFrames([serverFrame(2, Buffer.from('ok')), bytes])).toBe('ok proxmox_invalid_response');
    expect(readFrames(Array.from(bytes, (byte) => Buffer.from([byte])))).toBe(' proxmox_invalid_response');
  });

  test('have the same result in random chunks as in one, also after 20,000 mutations', () => {
    const random = createSeededRandom(7);
    const short = stream.subarray(0, 215);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(short);
      for (let flips = random(3); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      expect(readFrames(randomChunks(bytes, random))).toBe(readFrames([bytes]));
    }
  });
});
