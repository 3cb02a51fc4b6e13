import fc from 'fast-check';
import { createTerminalMessageFilter } from '@porthole/relay/terminal/terminal-message-filter';
import { createTermproxyQueue } from '../../fakes/proxmox/termproxy-queue.ts';
import { arbitraryChunks, byteByByte } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';

/** What a terminal gets, in order. Consecutive input is one event. */
type TerminalEvent = { input: string } | { columns: number; rows: number };

const inputMessage = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`0:${Buffer.byteLength(text)}:`), Buffer.from(text)]);
const sizeMessage = (columns: number, rows: number) => Buffer.from(`1:${columns}:${rows}:`);
const ping = Buffer.from('2');

/** Passes chunks through the relay's filter to termproxy's reader, which gets each result as one read. */
function filterMessages(chunks: readonly Buffer[], viewOnly = false) {
  let inputs = 0;
  const events: TerminalEvent[] = [];
  const termproxy = createTermproxyQueue({
    input(bytes) {
      const last = events.at(-1);
      const text = bytes.toString('latin1');
      if (last && 'input' in last) last.input += text;
      else events.push({ input: text });
    },
    resize: (columns, rows) => events.push({ columns, rows }),
  });
  const filter = createTerminalMessageFilter({ viewOnly, onHumanInput: () => inputs++ });
  const forwarded = chunks.map((chunk) => {
    const before = Buffer.from(chunk);
    const bytes = Buffer.concat(filter.push(chunk));
    expect(chunk.equals(before)).toBe(true);
    return bytes;
  });
  for (const bytes of forwarded) termproxy.push(bytes);
  const { atMessageBoundary } = filter;
  return { events, inputs, forwarded: Buffer.concat(forwarded), atMessageBoundary };
}

type Message = { text: Buffer } | { columns: number; rows: number } | { ping: boolean };

const arbitraryMessages: fc.Arbitrary<Message[]> = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => ({ text: Buffer.from(bytes) })),
    // Input may look like messages.
    fc.constantFrom('0:5:hello', '2', '1:80:24:', ':', '0:').map((text) => ({ text: Buffer.from(text) })),
    fc.record({ columns: fc.integer({ min: 1, max: 1000 }), rows: fc.integer({ min: 1, max: 1000 }) }),
    fc.constant({ ping: true }),
  ),
  { minLength: 1, maxLength: 20 },
);
const arbitraryConversation = arbitraryMessages.chain((messages) =>
  arbitraryChunks(bytesOf(messages)).map((chunks) => ({ messages, chunks })),
);

function bytesOf(messages: readonly Message[]): Buffer {
  const encode = (message: Message) => {
    if ('text' in message) return inputMessage(message.text);
    return 'columns' in message ? sizeMessage(message.columns, message.rows) : ping;
  };
  return Buffer.concat(messages.map(encode));
}

function expectedEvents(messages: readonly Message[]): TerminalEvent[] {
  const events: TerminalEvent[] = [];
  for (const message of messages) {
    const last = events.at(-1);
    if ('columns' in message) events.push({ columns: message.columns, rows: message.rows });
    else if (!('text' in message) || message.text.length === 0) continue;
    else if (last && 'input' in last) last.input += message.text.toString('latin1');
    else events.push({ input: message.text.toString('latin1') });
  }
  return events;
}

describe('the messages of a terminal’s viewer', () => {
  test('have the same effect in whatever chunks they arrive', () => {
    fc.assert(
      fc.property(arbitraryConversation, ({ messages, chunks }) => {
        const { events, inputs, atMessageBoundary } = filterMessages(chunks);
        expect(events).toEqual(expectedEvents(messages));
        expect(inputs).toBe(messages.filter((one) => 'text' in one && one.text.length > 0).length);
        expect(atMessageBoundary).toBe(true);
      }),
    );
  });

  test('have the same effect when cut at each byte, and at all of them', () => {
    const messages: Message[] = [
      { columns: 132, rows: 43 },
      { text: Buffer.from('grün 0:3:x') },
      { ping: true },
      { text: Buffer.from('') },
      { text: Buffer.from('\r') },
      { columns: 1, rows: 1000 },
      { text: Buffer.from('x'.repeat(300)) },
    ];
    const bytes = bytesOf(messages);
    for (let at = 1; at < bytes.length; at++)
      expect(filterMessages([bytes.subarray(0, at), bytes.subarray(at)]).events).toEqual(
        expectedEvents(messages),
      );
    expect(filterMessages(byteByByte(bytes)).events).toEqual(expectedEvents(messages));
  });

  test('are all dropped in a view-only session, but input counts', () => {
    fc.assert(
      fc.property(arbitraryConversation, ({ messages, chunks }) => {
        const { forwarded, inputs } = filterMessages(chunks, true);
        expect(forwarded).toHaveLength(0);
        expect(inputs).toBe(filterMessages([bytesOf(messages)]).inputs);
      }),
    );
  });

  test('get one header for consecutive input, so that termproxy loses none of it', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => String(index % 10));
    const together = Buffer.concat([sizeMessage(80, 24), ...keys.map((key) => inputMessage(key))]);
    const { forwarded } = filterMessages([together]);
    expect(forwarded.equals(Buffer.from(`1:80:24:0:20000:${keys.join('')}`))).toBe(true);
    // Without the filter, termproxy loses some of these bytes.
    const unfiltered: string[] = [];
    createTermproxyQueue({ input: (bytes) => unfiltered.push(bytes.toString()), resize() {} }).push(together);
    expect(unfiltered.join('').length).toBeLessThan(20_000);
  });

  test('may be very many in one chunk', () => {
    const count = 200_000;
    const { forwarded, inputs } = filterMessages([Buffer.alloc(5 * count, '0:1:x')]);
    expect(forwarded.equals(Buffer.from(`0:${count}:${'x'.repeat(count)}`))).toBe(true);
    expect(inputs).toBe(count);
  });

  test('are forwarded whole, so that a message of the relay may always go between them', () => {
    const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput() {} });
    expect(Buffer.concat(filter.push(Buffer.from('0:10:hello'))).toString()).toBe('0:5:hello');
    expect(Buffer.concat(filter.push(Buffer.from('123450:1:x'))).toString()).toBe('0:6:12345x');
    // An incomplete header is not forwarded yet, so another message may go before it.
    expect(filter.push(Buffer.from('0:1'))).toEqual([]);
    expect(filter.atMessageBoundary).toBe(true);
  });

  test('may contain as much input as a clipboard text', () => {
    const text = Buffer.alloc(1024 * 1024, 'x');
    expect(filterMessages([inputMessage(text)]).forwarded.length).toBe(text.length + '0:1048576:'.length);
  });

  test('are buffered only up to an incomplete header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput() {} });
        let forwarded = 0;
        const termproxy = createTermproxyQueue({ input: ({ length }) => (forwarded += length), resize() {} });
        try {
          for (const byte of byteByByte(Buffer.from(`0:2000:`))) filter.push(byte);
          for (const byte of byteByByte(Buffer.from(bytes)))
            for (const message of filter.push(byte)) termproxy.push(message);
        } catch {
          return;
        }
        expect(forwarded).toBe(bytes.length);
      }),
    );
  });
});

describe('a viewer that sends an invalid terminal message', () => {
  test.each([
    ['3', 'viewer_protocol'],
    [':', 'viewer_protocol'],
    ['0:x', 'viewer_protocol'],
    ['0::', 'viewer_protocol'],
    ['0:-1:', 'viewer_protocol'],
    ['0:+1:', 'viewer_protocol'],
    ['0:12345678', 'viewer_protocol'],
    ['0:1048577:', 'viewer_message_too_big'],
    ['1:0:24:', 'viewer_protocol'],
    ['1:80:0:', 'viewer_protocol'],
    ['1:1001:24:', 'viewer_protocol'],
    ['1:80:65535:', 'viewer_protocol'],
    ['1::24:', 'viewer_protocol'],
    ['1:80:24\n', 'viewer_protocol'],
    ['root@pam:PVEVNC:ticket\n', 'viewer_protocol'],
    ['RFB 003.008\n', 'viewer_protocol'],
  ])('%j is refused with %s, in one chunk and byte by byte', (text, code) => {
    for (const chunks of [[Buffer.from(text)], byteByByte(Buffer.from(text))])
      expect(() => filterMessages(chunks)).toThrow(expect.objectContaining({ code }));
  });

  test('is refused with a documented error, or has only complete messages forwarded', () => {
    const random = createSeededRandom(3);
    const alphabet = Buffer.from('0:1:2:34567890x\r');
    const randomByte = () => alphabet[random(alphabet.length)] ?? 0;
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const valid = bytesOf([
        { columns: 1 + random(1000), rows: 1 + random(1000) },
        { text: Buffer.from('x'.repeat(random(60))) },
        { ping: true },
        { text: Buffer.from('y'.repeat(random(60))) },
      ]);
      const bytes = random(4) === 0 ? Buffer.from(Array.from({ length: 100 }, randomByte)) : valid;
      if (bytes === valid && random(3) > 0) bytes[random(bytes.length)] = randomByte();
      try {
        const chunks = [bytes.subarray(0, random(bytes.length)), bytes].slice(random(2));
        let text = filterMessages(chunks).forwarded.toString('latin1');
        while (text.length > 0) {
          const header = /^(?:0:(\d+):|1:\d{1,4}:\d{1,4}:)/.exec(text);
          expect(header).not.toBeNull();
          text = text.slice((header?.[0].length ?? 0) + Number(header?.[1] ?? 0));
        }
      } catch (error) {
        expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_(protocol|message_too_big)$/));
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
