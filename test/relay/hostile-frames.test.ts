import { PortholeError } from '@porthole/shared/errors';
import { createBrowserFrames } from '@porthole/relay/viewer/browser-frames';
import { createProxmoxFrames } from '@porthole/relay/upstream/proxmox-frames';
import { closePayload, serverFrame } from '@porthole/relay/stream/websocket-frame';
import { binaryFrame, createNumbers, cutAtRandom, wireFrame } from './wire.ts';

const limits = { binaryBytes: 4096, textBytes: 256, fragments: 20 };

/** What a browser's bytes mean, in order; binary payload as one run between other events. */
function meaning(pieces: readonly Buffer[]): string[] {
  const events: string[] = [];
  let binary = '';
  const other = (event: string) => {
    if (binary) events.push(`binary ${binary}`);
    binary = '';
    events.push(event);
  };
  const frames = createBrowserFrames(
    {
      binary: (source, start, end) => (binary += source.toString('hex', start, end)),
      text: (text) => other(`text ${text}`),
      // Control frames may stand between the fragments of a message, so they are no border of the stream.
      ping() {},
      pong() {},
      close: (code) => other(`close ${code}`),
    },
    limits,
  );
  try {
    for (const piece of pieces) frames.push(Buffer.from(piece));
  } catch (error) {
    if (!(error instanceof PortholeError)) throw error;
    other(error.code);
  }
  other('end');
  return events;
}

const conversation = Buffer.concat([
  binaryFrame(Buffer.from('hello')),
  wireFrame({ opcode: 1, payload: Buffer.from('{"type":"ü"}') }),
  wireFrame({ opcode: 2, final: false, payload: Buffer.from('a') }),
  wireFrame({ opcode: 9, payload: Buffer.from('ping') }),
  wireFrame({ opcode: 0, final: false, payload: Buffer.alloc(0) }),
  wireFrame({ opcode: 0, payload: Buffer.from('bc') }),
  binaryFrame(Buffer.alloc(300, 'x')),
  wireFrame({ opcode: 1, final: false, payload: Buffer.from([0xc3]) }),
  wireFrame({ opcode: 0, payload: Buffer.from([0xbc]) }),
  wireFrame({ opcode: 8, payload: closePayload(1000, 'bye') }),
  binaryFrame(Buffer.from('too late')),
]);

describe('what a browser sends', () => {
  test('means the same wherever it is cut', () => {
    const whole = meaning([conversation]);
    expect(whole).toEqual([
      `binary ${Buffer.from('hello').toString('hex')}`,
      'text {"type":"ü"}',
      `binary ${Buffer.concat([Buffer.from('abc'), Buffer.alloc(300, 'x')]).toString('hex')}`,
      'text ü',
      'close 1000',
      'end',
    ]);
    for (let at = 1; at < conversation.length; at++)
      expect(meaning([conversation.subarray(0, at), conversation.subarray(at)])).toEqual(whole);
    expect(meaning(Array.from(conversation, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  const text = Buffer.from('x');
  test.each<[string, Buffer, string]>([
    ['without a mask', serverFrame(2, text), 'viewer_protocol'],
    ['with reserved bits', wireFrame({ opcode: 2, reserved: 4, payload: text }), 'viewer_protocol'],
    ['with an unknown opcode', wireFrame({ opcode: 3, payload: text }), 'viewer_protocol'],
    ['with an unknown control opcode', wireFrame({ opcode: 11, payload: text }), 'viewer_protocol'],
    ['of a ping in fragments', wireFrame({ opcode: 9, final: false, payload: text }), 'viewer_protocol'],
    ['of a ping beyond 125 bytes', wireFrame({ opcode: 9, payload: Buffer.alloc(126) }), 'viewer_protocol'],
    ['that goes on with nothing', wireFrame({ opcode: 0, payload: text }), 'viewer_protocol'],
    [
      'of a text that is not UTF-8',
      wireFrame({ opcode: 1, payload: Buffer.from([0xff]) }),
      'viewer_protocol',
    ],
    ['of a close with half a code', wireFrame({ opcode: 8, payload: text }), 'viewer_protocol'],
    [
      'of a close with a code of nobody',
      wireFrame({ opcode: 8, payload: closePayload(1006, '') }),
      'viewer_protocol',
    ],
    ['that is longer than allowed', binaryFrame(Buffer.alloc(4097)), 'viewer_message_too_big'],
    ['that claims to be endless', Buffer.from('82ffffffffffffffffff', 'hex'), 'viewer_message_too_big'],
    [
      'of a text that is longer than allowed',
      wireFrame({ opcode: 1, payload: Buffer.alloc(257) }),
      'viewer_message_too_big',
    ],
    [
      'within a message of another kind',
      Buffer.concat([
        wireFrame({ opcode: 2, final: false, payload: text }),
        wireFrame({ opcode: 1, payload: text }),
      ]),
      'viewer_protocol',
    ],
    [
      'in more fragments than allowed',
      Buffer.concat(
        Array.from({ length: 21 }, (_, i) =>
          wireFrame({ opcode: i === 0 ? 2 : 0, final: false, payload: new Uint8Array() }),
        ),
      ),
      'viewer_message_too_big',
    ],
  ])('is refused as a frame %s', (_what, bytes, error) => {
    const events = meaning([bytes]);
    expect(events).toContain(error);
    expect(meaning(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(events);
  });

  test('never crashes the parser, mutated 20,000 times, and means the same however it is cut', () => {
    const random = createNumbers(20_261_123);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(conversation);
      for (let flips = random(4); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      expect(meaning(cutAtRandom(bytes, random))).toEqual(meaning([bytes]));
    }
  });
});

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
