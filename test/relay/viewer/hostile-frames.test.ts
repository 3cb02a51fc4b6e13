import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { maxViewerFragments, maxViewerMessageBytes } from '@porthole/relay/viewer/viewer-socket';
import { createFakeClock } from '../../fakes/clock.ts';
import { binaryFrame, closePayload, createNumbers, cutAtRandom, serverFrame, wireFrame } from '../wire.ts';
import { createMemoryViewer } from './memory-viewer.ts';

/** What a viewer's bytes mean to the relay, in order; binary payload as one run between other events. */
async function meaning(pieces: readonly Buffer[]): Promise<string[]> {
  const events: string[] = [];
  let binary = '';
  const event = (text: string) => {
    if (binary) events.push(`binary ${binary}`);
    binary = '';
    events.push(text);
  };
  const { viewer, receive, destroy } = createMemoryViewer({
    batcher: createFrameBatcher(),
    clock: createFakeClock(),
    onText: (text) => event(`text ${text}`),
  });
  viewer.link.handle({
    bytes: (source, start, end) => (binary += source.toString('hex', start, end)),
    // After a close frame, the end follows when both sides are closed, at a time of its own.
    ended: (error) => error && event(error.code),
  });
  for (const piece of pieces) await receive(piece);
  destroy();
  event('end');
  return events;
}

const bytesOf = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

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

describe('what a viewer sends', () => {
  test('means the same wherever it is cut', async () => {
    const whole = await meaning([conversation]);
    expect(whole).toEqual([
      `binary ${Buffer.from('hello').toString('hex')}`,
      'text {"type":"ü"}',
      `binary ${Buffer.concat([Buffer.from('abc'), Buffer.alloc(300, 'x')]).toString('hex')}`,
      'text ü',
      'end',
    ]);
    for (let at = 1; at < conversation.length; at++)
      expect(await meaning([conversation.subarray(0, at), conversation.subarray(at)])).toEqual(whole);
    expect(await meaning(bytesOf(conversation))).toEqual(whole);
  });

  const text = Buffer.from('x');
  test.each<[string, Buffer, string]>([
    ['without a mask', serverFrame(2, text), 'viewer_protocol'],
    ['with reserved bits', wireFrame({ opcode: 2, reserved: 4, payload: text }), 'viewer_protocol'],
    ['with an unknown opcode', wireFrame({ opcode: 3, payload: text }), 'viewer_protocol'],
    ['with an unknown control opcode', wireFrame({ opcode: 11, payload: text }), 'viewer_protocol'],
    ['of a fragmented ping', wireFrame({ opcode: 9, final: false, payload: text }), 'viewer_protocol'],
    ['of a ping beyond 125 bytes', wireFrame({ opcode: 9, payload: Buffer.alloc(126) }), 'viewer_protocol'],
    ['that continues no message', wireFrame({ opcode: 0, payload: text }), 'viewer_protocol'],
    [
      'of a text that is not UTF-8',
      wireFrame({ opcode: 1, payload: Buffer.from([0xff]) }),
      'viewer_protocol',
    ],
    ['of a close with half a code', wireFrame({ opcode: 8, payload: text }), 'viewer_protocol'],
    [
      'of a close with a reserved code',
      wireFrame({ opcode: 8, payload: closePayload(1006, '') }),
      'viewer_protocol',
    ],
    ['that claims to be endless', Buffer.from('82ffffffffffffffffff', 'hex'), 'viewer_message_too_big'],
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
        Array.from({ length: maxViewerFragments + 1 }, (_, i) =>
          wireFrame({ opcode: i === 0 ? 2 : 0, final: false, payload: new Uint8Array() }),
        ),
      ),
      'viewer_message_too_big',
    ],
  ])('is refused as a frame %s', async (_what, bytes, error) => {
    const events = await meaning([bytes]);
    expect(events).toContain(error);
    expect(await meaning(bytesOf(bytes))).toEqual(events);
  });

  test('is refused as a message that is longer than allowed, before it has arrived', async () => {
    const frame = binaryFrame(Buffer.alloc(maxViewerMessageBytes + 1));
    expect(await meaning([frame.subarray(0, 20)])).toContain('viewer_message_too_big');
  });

  test('is taken as a message of the largest size', async () => {
    const [event] = await meaning([binaryFrame(Buffer.alloc(maxViewerMessageBytes))]);
    expect(event).toHaveLength('binary '.length + 2 * maxViewerMessageBytes);
  });

  test('never crashes the relay, mutated 10,000 times, and means the same however it is cut', async () => {
    const random = createNumbers(20_261_123);
    for (let round = 0; round < 10_000; round++) {
      const bytes = Buffer.from(conversation);
      for (let flips = random(4); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      expect(await meaning(cutAtRandom(bytes, random))).toEqual(await meaning([bytes]));
    }
  }, 120_000);
});
