import fc from 'fast-check';
import { createTerminalMessageFilter } from '@porthole/relay/terminal/client-messages';
import { createTermproxyQueue } from '../../fakes/proxmox/termproxy-queue.ts';
import { byteByByte, cutAnywhere } from '../rfb/cuts.ts';
import { createNumbers } from '../wire.ts';

/** What happens to a terminal, in order; typing that follows typing is one. */
type Deed = { typed: string } | { columns: number; rows: number };

const data = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`0:${Buffer.byteLength(text)}:`), Buffer.from(text)]);
const size = (columns: number, rows: number) => Buffer.from(`1:${columns}:${rows}:`);
const ping = Buffer.from('2');

/** Runs chunks through the relay's filter into termproxy's reader, which gets each push as it left. */
function run(chunks: readonly Buffer[], viewOnly = false) {
  let inputs = 0;
  const deeds: Deed[] = [];
  const termproxy = createTermproxyQueue({
    input(bytes) {
      const last = deeds.at(-1);
      const text = bytes.toString('latin1');
      if (last && 'typed' in last) last.typed += text;
      else deeds.push({ typed: text });
    },
    resize: (columns, rows) => deeds.push({ columns, rows }),
  });
  const filter = createTerminalMessageFilter({ viewOnly, onHumanInput: () => inputs++ });
  const passed = chunks.map((chunk) => {
    const before = Buffer.from(chunk);
    const bytes = Buffer.concat(filter.push(chunk));
    expect(chunk.equals(before)).toBe(true);
    return bytes;
  });
  for (const bytes of passed) termproxy.push(bytes);
  return { deeds, inputs, passed: Buffer.concat(passed), atBorder: filter.atMessageBoundary };
}

const aMessage = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => ({ text: Buffer.from(bytes) })),
  // What is typed may look like messages.
  fc.constantFrom('0:5:hello', '2', '1:80:24:', ':', '0:').map((text) => ({ text: Buffer.from(text) })),
  fc.record({ columns: fc.integer({ min: 1, max: 1000 }), rows: fc.integer({ min: 1, max: 1000 }) }),
  fc.constant({ ping: true }),
);
type Message = { text: Buffer } | { columns: number; rows: number } | { ping: boolean };

const bytesOf = (messages: readonly Message[]) =>
  Buffer.concat(
    messages.map((message) =>
      'text' in message
        ? data(message.text)
        : 'columns' in message
          ? size(message.columns, message.rows)
          : ping,
    ),
  );

/** What a terminal should make of them. */
function meant(messages: readonly Message[]): Deed[] {
  const deeds: Deed[] = [];
  for (const message of messages) {
    const last = deeds.at(-1);
    if ('columns' in message) deeds.push({ columns: message.columns, rows: message.rows });
    else if (!('text' in message) || message.text.length === 0) continue;
    else if (last && 'typed' in last) last.typed += message.text.toString('latin1');
    else deeds.push({ typed: message.text.toString('latin1') });
  }
  return deeds;
}

describe('what a viewer sends to a terminal', () => {
  test('arrives as it was meant, wherever it was cut', () => {
    const sessions = fc
      .array(aMessage, { minLength: 1, maxLength: 20 })
      .chain((messages) => cutAnywhere(bytesOf(messages)).map((chunks) => ({ messages, chunks })));
    fc.assert(
      fc.property(sessions, ({ messages, chunks }) => {
        const { deeds, inputs, atBorder } = run(chunks);
        expect(deeds).toEqual(meant(messages));
        expect(inputs).toBe(messages.filter((one) => 'text' in one && one.text.length > 0).length);
        expect(atBorder).toBe(true);
      }),
    );
  });

  test('is the same when it is cut at any one byte, and at all of them', () => {
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
      expect(run([bytes.subarray(0, at), bytes.subarray(at)]).deeds).toEqual(meant(messages));
    expect(run(byteByByte(bytes)).deeds).toEqual(meant(messages));
  });

  test('is neither typed nor resized in a view-only session, but counts as input', () => {
    const messages = fc
      .array(aMessage, { minLength: 1, maxLength: 20 })
      .chain((all) => cutAnywhere(bytesOf(all)).map((chunks) => ({ all, chunks })));
    fc.assert(
      fc.property(messages, ({ all, chunks }) => {
        const { passed, inputs } = run(chunks, true);
        expect(passed).toHaveLength(0);
        expect(inputs).toBe(run([bytesOf(all)]).inputs);
      }),
    );
  });

  test('goes under one head when it comes together, so that termproxy loses none of it', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => String(index % 10));
    const together = Buffer.concat([size(80, 24), ...keys.map((key) => data(key))]);
    expect(run([together]).passed.equals(Buffer.from(`1:80:24:0:20000:${keys.join('')}`))).toBe(true);
    // The same bytes straight into termproxy do not all arrive.
    const raw: string[] = [];
    createTermproxyQueue({ input: (bytes) => raw.push(bytes.toString()), resize() {} }).push(together);
    expect(raw.join('').length).toBeLessThan(20_000);
  });

  test('leaves no room for a message of our own in the middle of a long paste', () => {
    const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput() {} });
    filter.push(Buffer.from('0:10:hello'));
    expect(filter.atMessageBoundary).toBe(false);
    filter.push(Buffer.from('12345'));
    expect(filter.atMessageBoundary).toBe(true);
    // Half a head is still with us, so something may go before it.
    filter.push(Buffer.from('0:1'));
    expect(filter.atMessageBoundary).toBe(true);
  });

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
  ])('%j ends the session with %s, in one piece and byte by byte', (text, code) => {
    for (const chunks of [[Buffer.from(text)], byteByByte(Buffer.from(text))])
      expect(() => run(chunks)).toThrow(expect.objectContaining({ code }));
  });

  test('may be as big as a clipboard', () => {
    const text = Buffer.alloc(1024 * 1024, 'x');
    expect(run([data(text)]).passed.length).toBe(text.length + '0:1048576:'.length);
  });

  test('half a million mutated bytes are refused with our errors or typed, and what passes is always whole messages', () => {
    const random = createNumbers(3);
    const alphabet = Buffer.from('0:1:2:34567890x\r');
    const byte = () => alphabet[random(alphabet.length)] ?? 0;
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      const good = bytesOf([
        { columns: 1 + random(1000), rows: 1 + random(1000) },
        { text: Buffer.from('x'.repeat(random(60))) },
        { ping: true },
        { text: Buffer.from('y'.repeat(random(60))) },
      ]);
      const bytes = random(4) === 0 ? Buffer.from(Array.from({ length: 100 }, byte)) : good;
      if (bytes === good && random(3) > 0) bytes[random(bytes.length)] = byte();
      try {
        const { passed } = run([bytes.subarray(0, random(bytes.length)), bytes].slice(random(2)));
        let text = passed.toString('latin1');
        while (text.length > 0) {
          const head = /^(?:0:(\d+):|1:\d{1,4}:\d{1,4}:)/.exec(text);
          expect(head).not.toBeNull();
          text = text.slice((head?.[0].length ?? 0) + Number(head?.[1] ?? 0));
        }
      } catch (error) {
        expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_(protocol|message_too_big)$/));
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });

  test('costs no more memory than half a head', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput() {} });
        let taken = 0;
        try {
          for (const one of byteByByte(Buffer.from(`0:2000:`))) filter.push(one);
          for (const one of byteByByte(Buffer.from(bytes))) taken += Buffer.concat(filter.push(one)).length;
        } catch {
          return;
        }
        expect(taken).toBe(bytes.length);
      }),
    );
  });
});
