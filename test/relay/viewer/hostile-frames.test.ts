import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { maxViewerFragments, maxViewerMessageBytes } from '@porthole/relay/viewer/viewer-socket';
import { createFakeClock } from '../../fakes/clock.ts';
import { randomChunks } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { binaryFrame, clientFrame, closePayload, serverFrame } from '../websocket-frames.ts';
import { createMemoryViewer } from './memory-viewer.ts';

/** The events that chunks of a viewer's bytes cause, in order. Consecutive binary payload is one event. */
async function eventsOf(chunks: readonly Buffer[]): Promise<string[]> {
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
  viewer.link.setHandler({
    onBytes: (source, start, end) => (binary += source.toString('hex', start, end)),
    // An end without an error follows a close frame at no fixed time.
    onEnded: (error) => error && event(error.code),
  });
  for (const chunk of chunks) await receive(chunk);
  destroy();
  event('end');
  return events;
}

const bytesOf = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

const conversation = Buffer.concat([
  binaryFrame(Buffer.from('hello')),
  clientFrame({ opcode: 1, payload: Buffer.from('{"type":"ü"}') }),
  clientFrame({ opcode: 2, final: false, payload: Buffer.from('a') }),
  clientFrame({ opcode: 9, payload: Buffer.from('ping') }),
  clientFrame({ opcode: 0, final: false, payload: Buffer.alloc(0) }),
  clientFrame({ opcode: 0, payload: Buffer.from('bc') }),
  binaryFrame(Buffer.alloc(300, 'x')),
  clientFrame({ opcode: 1, final: false, payload: Buffer.from([0xc3]) }),
  clientFrame({ opcode: 0, payload: Buffer.from([0xbc]) }),
  clientFrame({ opcode: 8, payload: closePayload(1000, 'bye') }),
  binaryFrame(Buffer.from('too late')),
]);

describe('the bytes of a viewer', () => {
  test('cause the same events in whatever chunks they arrive', async () => {
    const expected = await eventsOf([conversation]);
    expect(expected).toEqual([
      `binary ${Buffer.from('hello').toString('hex')}`,
      'text {"type":"ü"}',
      `binary ${Buffer.concat([Buffer.from('abc'), Buffer.alloc(300, 'x')]).toString('hex')}`,
      'text ü',
      'end',
    ]);
    for (let at = 1; at < conversation.length; at++)
      expect(await eventsOf([conversation.subarray(0, at), conversation.subarray(at)])).toEqual(expected);
    expect(await eventsOf(bytesOf(conversation))).toEqual(expected);
  });

  const text = Buffer.from('x');
  test.each<[string, Buffer, string]>([
    ['without a mask', serverFrame(2, text), 'viewer_protocol'],
    ['with reserved bits', clientFrame({ opcode: 2, reserved: 4, payload: text }), 'viewer_protocol'],
    ['with an unknown opcode', clientFrame({ opcode: 3, payload: text }), 'viewer_protocol'],
    ['with an unknown control opcode', clientFrame({ opcode: 11, payload: text }), 'viewer_protocol'],
    ['of a fragmented ping', clientFrame({ opcode: 9, final: false, payload: text }), 'viewer_protocol'],
    ['of a ping beyond 125 bytes', clientFrame({ opcode: 9, payload: Buffer.alloc(126) }), 'viewer_protocol'],
    ['that continues no message', clientFrame({ opcode: 0, payload: text }), 'viewer_protocol'],
    [
      'of a text that is not UTF-8',
      clientFrame({ opcode: 1, payload: Buffer.from([0xff]) }),
      'viewer_protocol',
    ],
    ['of a close with half a code', clientFrame({ opcode: 8, payload: text }), 'viewer_protocol'],
    [
      'of a close with a reserved code',
      clientFrame({ opcode: 8, payload: closePayload(1006, '') }),
      'viewer_protocol',
    ],
    ['of 2^64 bytes', Buffer.from('82ffffffffffffffffff', 'hex'), 'viewer_message_too_big'],
    [
      'within a message of another kind',
      Buffer.concat([
        clientFrame({ opcode: 2, final: false, payload: text }),
        clientFrame({ opcode: 1, payload: text }),
      ]),
      'viewer_protocol',
    ],
    [
      'in more fragments than allowed',
      Buffer.concat(
        Array.from({ length: maxViewerFragments + 1 }, (_, i) =>
          clientFrame({ opcode: i === 0 ? 2 : 0, final: false, payload: new Uint8Array() }),
        ),
      ),
      'viewer_message_too_big',
    ],
  ])('are refused as a frame %s', async (_, bytes, error) => {
    const events = await eventsOf([bytes]);
    expect(events).toContain(error);
    expect(await eventsOf(bytesOf(bytes))).toEqual(events);
  });

  test('are refused as a message above the size limit before it has arrived', async () => {
    const frame = binaryFrame(Buffer.alloc(maxViewerMessageBytes + 1));
    expect(await eventsOf([frame.subarray(0, 20)])).toContain('viewer_message_too_big');
  });

  test('are accepted as a message of the largest size', async () => {
    const [event] = await eventsOf([binaryFrame(Buffer.alloc(maxViewerMessageBytes))]);
    expect(event).toHaveLength('binary '.length + 2 * maxViewerMessageBytes);
  });

  test('cause the same events in random chunks as in one, also after 4,000 mutations', async () => {
    const random = createSeededRandom(20_261_123);
    for (let round = 0; round < 4000; round++) {
      const bytes = Buffer.from(conversation);
      for (let flips = random(4); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
      expect(await eventsOf(randomChunks(bytes, random))).toEqual(await eventsOf([bytes]));
    }
  }, 120_000);
});
