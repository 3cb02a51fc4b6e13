import fc from 'fast-check';
import { createTerminalFilter, terminalLimits } from '@porthole/relay/terminal/client-messages';
import { byteByByte, cutAnywhere } from '../rfb/cuts.ts';

type Message = { typed: Buffer } | { size: readonly [number, number] } | 'ping';

const side = fc.integer({ min: 1, max: terminalLimits.side });
const aMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 5000 }).map((bytes) => ({ typed: Buffer.from(bytes) })),
  fc.tuple(side, side).map((size) => ({ size })),
  fc.constant('ping' as const),
);

function render(message: Message): Buffer {
  if (message === 'ping') return Buffer.from('2');
  if ('size' in message) return Buffer.from(`1:${message.size[0]}:${message.size[1]}:`);
  return Buffer.concat([Buffer.from(`0:${message.typed.length}:`), message.typed]);
}

const aConversation = fc
  .array(aMessage, { maxLength: 12 })
  .chain((messages) =>
    cutAnywhere(Buffer.concat(messages.map(render))).map((chunks) => ({ messages, chunks })),
  );

function run(chunks: readonly Buffer[], viewOnly = false) {
  let inputs = 0;
  const filter = createTerminalFilter({ viewOnly, onHumanInput: () => void inputs++ });
  const passed = Buffer.concat(chunks.flatMap((chunk) => filter.push(chunk)));
  return { passed, inputs };
}

/** What termproxy would read, with typed bytes put together again. Written by itself, not by the code under test. */
function read(bytes: Buffer): { messages: Message[]; longest: number } {
  const messages: Message[] = [];
  let longest = 0;
  for (let at = 0; at < bytes.length;) {
    const text = bytes.toString('latin1', at, at + 16);
    const input = /^0:(\d+):/.exec(text);
    const size = /^1:(\d+):(\d+):/.exec(text);
    if (text.startsWith('2')) {
      messages.push('ping');
      at += 1;
    } else if (size) {
      messages.push({ size: [Number(size[1]), Number(size[2])] });
      at += size[0].length;
    } else if (input) {
      const start = at + input[0].length;
      at = start + Number(input[1]);
      longest = Math.max(longest, Number(input[1]));
      const typed = bytes.subarray(start, at);
      expect(typed).toHaveLength(Number(input[1]));
      const last = messages.at(-1);
      if (typeof last === 'object' && 'typed' in last) last.typed = Buffer.concat([last.typed, typed]);
      else messages.push({ typed });
    } else throw new Error(`termproxy would not understand ${JSON.stringify(text)}`);
  }
  return { messages, longest };
}

const together = (messages: readonly Message[]) => read(Buffer.concat(messages.map(render))).messages;

describe('what a viewer says to a terminal', () => {
  test('reaches the terminal in order, in small messages of our own, however it is cut', () => {
    fc.assert(
      fc.property(aConversation, ({ messages, chunks }) => {
        const { passed, inputs } = run(chunks);
        const heard = read(passed);
        expect(heard.messages).toEqual(together(messages));
        expect(heard.longest).toBeLessThanOrEqual(terminalLimits.pieceBytes);
        expect(inputs > 0).toBe(messages.some((each) => typeof each === 'object' && 'typed' in each));
      }),
      { numRuns: 500 },
    );
  });

  test('is read the same when cut at every byte', () => {
    const messages: Message[] = [
      { size: [80, 24] },
      { typed: Buffer.from('grün 2 1:2:3: 0:1:x\r') },
      'ping',
      { size: [1000, 1] },
      { typed: Buffer.from('x') },
    ];
    const bytes = Buffer.concat(messages.map(render));
    expect(read(run(byteByByte(bytes)).passed).messages).toEqual(messages);
    for (let at = 1; at < bytes.length; at++)
      expect(read(run([bytes.subarray(0, at), bytes.subarray(at)]).passed).messages).toEqual(messages);
  });

  test('passes as signs of life only when it may look but not touch, and counts as input all the same', () => {
    fc.assert(
      fc.property(aConversation, ({ messages, chunks }) => {
        const { passed, inputs } = run(chunks, true);
        expect(passed.toString()).toBe('2'.repeat(messages.filter((each) => each === 'ping').length));
        expect(inputs > 0).toBe(messages.some((each) => typeof each === 'object' && 'typed' in each));
      }),
      { numRuns: 300 },
    );
  });

  test('is no input when it is a size or a sign of life', () => {
    expect(run([Buffer.from('1:80:24:222')]).inputs).toBe(0);
  });

  test('passes at once, as far as it has arrived', () => {
    const filter = createTerminalFilter({ viewOnly: false, onHumanInput: () => {} });
    const push = (text: string) => Buffer.concat(filter.push(Buffer.from(text))).toString();
    expect(push('0:5:ab')).toBe('0:2:ab');
    expect(push('')).toBe('');
    expect(push('cde0:')).toBe('0:3:cde');
    expect(push('1:x')).toBe('0:1:x');
  });

  test.each([
    '3',
    '\n',
    'user@pve:PVEVNC:x\n',
    '0:x',
    '0:-1:',
    '0: 1:a',
    '0::',
    '0:0:',
    '0:01:a',
    '1:80:',
    '1::24:',
    '1:80:x',
  ])('%j is no message of a terminal', (text) => {
    const refused = expect.objectContaining({ code: 'viewer_protocol' });
    expect(() => run([Buffer.from(`${text}x`)])).toThrow(refused);
    expect(() => run(byteByByte(Buffer.from(`${text}x`)))).toThrow(refused);
  });

  test.each(['0:32769:', '0:99999999:', '1:1001:24:', '1:80:1001:'])('%j is too big', (text) => {
    expect(() => run([Buffer.from(text)])).toThrow(expect.objectContaining({ code: 'viewer_too_big' }));
  });

  test.each(['0:32768:', '1:1000:1000:', '1:1:1:'])('%j is not', (text) => {
    expect(() => run([Buffer.from(text)])).not.toThrow();
  });

  test('digits without end are refused before they are many', () => {
    expect(() => run([Buffer.from(`0:${'1'.repeat(12)}`)])).toThrow(
      expect.objectContaining({ code: 'viewer_protocol' }),
    );
  });

  test('passes whole or is refused with an error of ours, whatever it is', () => {
    const almost = fc.array(fc.constantFrom(...'0123:'.split(''), 'a', '\u0000'), { maxLength: 200 });
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
      almost.map((letters) => Buffer.from(letters.join(''))),
    );
    fc.assert(
      fc.property(anything, fc.boolean(), (bytes, viewOnly) => {
        const passed: Buffer[] = [];
        try {
          const filter = createTerminalFilter({ viewOnly, onHumanInput: () => {} });
          for (const byte of byteByByte(bytes)) passed.push(...filter.push(byte));
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_(protocol|too_big)$/));
        }
        // Also of what is refused later, termproxy gets nothing that it does not understand.
        const { messages } = read(Buffer.concat(passed));
        if (viewOnly) expect(messages.every((each) => each === 'ping')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
