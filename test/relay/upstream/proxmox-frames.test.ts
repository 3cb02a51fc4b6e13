import { PortholeError } from '@porthole/shared/errors';
import { createProxmoxFrames } from '@porthole/relay/upstream/proxmox-frames';
import { binaryFrame, createNumbers, cutAtRandom, serverFrame } from '../wire.ts';

/** What Proxmox's bytes mean. */
function carried(pieces: readonly Buffer[]): string {
  let payload = '';
  let end = '';
  const frames = createProxmoxFrames({
    pong() {},
    payload: (source, start, stop) => (payload += source.toString('latin1', start, stop)),
    closed: () => (end = ' close'),
  });
  try {
    for (const piece of pieces) frames.read(piece, piece.length);
  } catch (error) {
    if (!(error instanceof PortholeError)) throw error;
    end = ` ${error.code}`;
  }
  return payload + end;
}

describe('what Proxmox sends', () => {
  const stream = Buffer.concat([
    serverFrame(2, Buffer.from('a')),
    serverFrame(2, Buffer.alloc(0)),
    serverFrame(10, Buffer.from('pong')),
    serverFrame(2, Buffer.alloc(200, 'b')),
    serverFrame(2, Buffer.alloc(66_000, 'c')),
    serverFrame(8, Buffer.alloc(0)),
    serverFrame(2, Buffer.from('late')),
  ]);

  test('is the same payload wherever it is cut', () => {
    const whole = `a${'b'.repeat(200)}${'c'.repeat(66_000)} close`;
    expect(carried([stream])).toBe(whole);
    const random = createNumbers(1);
    for (let at = 1; at < 400; at++)
      expect(carried([stream.subarray(0, at), stream.subarray(at)])).toBe(whole);
    for (let round = 0; round < 20; round++) expect(carried(cutAtRandom(stream, random))).toBe(whole);
  });

  test.each<[string, Buffer]>([
    ['a masked frame', binaryFrame(Buffer.from('x'))],
    ['a text', serverFrame(1, Buffer.from('x'))],
    ['a fragment', Buffer.from([0x02, 1, 0])],
    ['a compressed frame', Buffer.from([0xc2, 1, 0])],
    ['a frame above 128 KiB', serverFrame(2, Buffer.alloc(128 * 1024 + 1))],
    ['an endless frame', Buffer.from('827fffffffffffffffff', 'hex')],
  ])('ends the console when it is %s', (_what, bytes) => {
    expect(carried([serverFrame(2, Buffer.from('ok')), bytes])).toBe('ok proxmox_invalid_response');
    expect(carried(Array.from(bytes, (byte) => Buffer.from([byte])))).toBe(' proxmox_invalid_response');
  });

  test('never crashes the parser, mutated 20,000 times, and means the same however it is cut', () => {
    const random = createNumbers(7);
    const short = stream.subarray(0, 215);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(short);
      for (let flips = random(3); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      expect(carried(cutAtRandom(bytes, random))).toBe(carried([bytes]));
    }
  });
});
