import fc from 'fast-check';
import { createClientMessageFilter } from '@porthole/relay/rfb/client-messages';
import { byteByByte, cutAnywhere } from './cuts.ts';
import { loadNovnc, written, type Novnc, type OutgoingBytes } from './novnc.ts';

/** A message as bytes, and what a view-only session and the idle time make of it. */
interface Message {
  readonly bytes: Buffer;
  readonly input: boolean;
  readonly human: boolean;
}

const extendedMouseButtons = -316;
const view = (...bytes: Buffer[]): Message => ({ bytes: Buffer.concat(bytes), input: false, human: false });
const human = (...bytes: Buffer[]): Message => ({ bytes: Buffer.concat(bytes), input: true, human: true });
const touch = (...bytes: Buffer[]): Message => ({ bytes: Buffer.concat(bytes), input: true, human: false });
const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value: number) =>
  Buffer.from([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);

const some = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const setEncodings = (encodings: readonly number[]) =>
  view(Buffer.of(2, 0), u16(encodings.length), ...encodings.map(u32));
const cutText = (length: number, body: Buffer) => human(Buffer.of(6, 0, 0, 0), u32(length), body);
/** The extended clipboard: the length is negative, and only the word that there is something new is a person's. */
const extendedCutText = (flags: number, body: Buffer) =>
  (isNotice(flags) ? human : touch)(Buffer.of(6, 0, 0, 0), u32(-4 - body.length), u32(flags), body);
const isNotice = (flags: number) => (flags & (1 << 27)) !== 0 && (flags & (1 << 24)) === 0;

/** A message that is sent whole, whatever the state; a pointer event depends on what SetEncodings said. */
type Step = { readonly message: Message } | { readonly pointer: Buffer; readonly buttons: number };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  some(19).map((rest) => ({ message: view(Buffer.of(0), rest) })),
  fc
    .array(fc.oneof(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), fc.constant(extendedMouseButtons)), {
      maxLength: 40,
    })
    .map((encodings) => ({ message: setEncodings(encodings) })),
  some(9).map((rest) => ({ message: view(Buffer.of(3), rest) })),
  some(7).map((rest) => ({ message: human(Buffer.of(4), rest) })),
  fc
    .record({ pointer: some(5), buttons: fc.integer({ min: 0, max: 255 }) })
    .map(({ pointer, buttons }) => ({ pointer, buttons })),
  fc.uint8Array({ maxLength: 300 }).map((body) => ({ message: cutText(body.length, Buffer.from(body)) })),
  fc
    .tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.uint8Array({ maxLength: 300 }))
    .map(([flags, body]) => ({ message: extendedCutText(flags | 0, Buffer.from(body)) })),
  some(9).map((rest) => ({ message: view(Buffer.of(150), rest) })),
  fc.uint8Array({ maxLength: 64 }).chain((payload) =>
    some(7).map((head) => ({
      message: view(Buffer.of(248), head, Buffer.of(payload.length), Buffer.from(payload)),
    })),
  ),
  some(3).map((rest) => ({ message: touch(Buffer.of(250), rest) })),
  fc.integer({ min: 0, max: 6 }).chain((screens) =>
    fc.tuple(some(5), some(1 + 16 * screens)).map(([head, rest]) => ({
      message: touch(Buffer.of(251), head, Buffer.of(screens), rest),
    })),
  ),
  some(10).map((rest) => ({ message: human(Buffer.of(255, 0), rest) })),
);

/** The steps as messages: a pointer event has a seventh byte when its marker bit means something. */
function render(steps: readonly Step[]): Message[] {
  let extended = false;
  return steps.map((step) => {
    if ('pointer' in step) {
      const seven = extended && (step.buttons & 0x80) !== 0;
      return human(Buffer.of(5, step.buttons), step.pointer.subarray(0, seven ? 5 : 4));
    }
    const { bytes } = step.message;
    if (bytes[0] === 2) extended = offersExtended(bytes);
    return step.message;
  });
}

function offersExtended(bytes: Buffer): boolean {
  for (let at = 4; at < bytes.length; at += 4)
    if (bytes.readInt32BE(at) === extendedMouseButtons) return true;
  return false;
}

const aConversation = fc
  .array(aStep, { maxLength: 25 })
  .map(render)
  .chain((messages) =>
    cutAnywhere(Buffer.concat(messages.map(({ bytes }) => bytes))).map((chunks) => ({ messages, chunks })),
  );

function run(chunks: readonly Buffer[], viewOnly = false) {
  let inputs = 0;
  const filter = createClientMessageFilter({ viewOnly, onHumanInput: () => void inputs++ });
  const passed = Buffer.concat(chunks.flatMap((chunk) => filter.push(chunk)));
  return { passed, inputs };
}

const bytesOf = (messages: readonly Message[]) => Buffer.concat(messages.map(({ bytes }) => bytes));

describe("a viewer's messages", () => {
  test('pass exactly as they are in a session that may control, however they are cut', () => {
    fc.assert(
      fc.property(aConversation, ({ messages, chunks }) => {
        const { passed, inputs } = run(chunks);
        expect(passed.equals(bytesOf(messages))).toBe(true);
        expect(inputs).toBe(messages.filter(({ human }) => human).length);
      }),
      { numRuns: 500 },
    );
  });

  test('pass without those that touch the machine in a view-only session, and count as input all the same', () => {
    fc.assert(
      fc.property(aConversation, ({ messages, chunks }) => {
        const { passed, inputs } = run(chunks, true);
        expect(passed.equals(bytesOf(messages.filter(({ input }) => !input)))).toBe(true);
        expect(inputs).toBe(messages.filter(({ human }) => human).length);
      }),
      { numRuns: 500 },
    );
  });

  test('pass byte by byte as they pass whole', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 6 }).map(render), (messages) => {
        const bytes = bytesOf(messages);
        expect(run(byteByByte(bytes)).passed.equals(bytes)).toBe(true);
      }),
    );
  });

  test('pass no earlier than they are whole, so that no half message stays behind at the machine', () => {
    const filter = createClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
    const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 0x61);
    for (let at = 0; at < 7; at++) expect(filter.push(key.subarray(at, at + 1))).toEqual([]);
    expect(Buffer.concat(filter.push(key.subarray(7)))).toEqual(key);
  });

  test('do not change when the memory that they came in is used again', () => {
    const filter = createClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
    const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 0x61);
    const chunk = Buffer.from(key.subarray(0, 5));
    filter.push(chunk);
    chunk.fill(0xff);
    expect(Buffer.concat(filter.push(key.subarray(5)))).toEqual(key);
  });
});

describe('a pointer event', () => {
  const marked = Buffer.of(5, 0x81, 0, 1, 0, 2);
  const key = Buffer.of(4, 1, 0, 0, 0, 0, 0, 0x61);

  test('has a seventh byte only after the viewer said that it knows more buttons', () => {
    const { passed, inputs } = run([marked, key]);
    expect([passed.length, inputs]).toEqual([14, 2]);
    const extended = run([setEncodings([0, extendedMouseButtons]).bytes, marked, Buffer.of(1), key], true);
    expect(extended.passed).toEqual(setEncodings([0, extendedMouseButtons]).bytes);
    expect(extended.inputs).toBe(2);
  });

  test('has six again after it said that it does not', () => {
    const { inputs } = run([
      setEncodings([extendedMouseButtons]).bytes,
      setEncodings([0]).bytes,
      marked,
      key,
    ]);
    expect(inputs).toBe(2);
  });

  test('without the marker has six bytes in any case', () => {
    const plain = Buffer.of(5, 0x01, 0, 1, 0, 2);
    expect(run([setEncodings([extendedMouseButtons]).bytes, plain, key]).inputs).toBe(2);
  });
});

describe('a viewer that sends something else', () => {
  const known = new Set([0, 2, 3, 4, 5, 6, 150, 248, 250, 251, 255]);
  const unknown = Array.from({ length: 256 }, (_, type) => type).filter((type) => !known.has(type));

  test('is refused at the first byte of an unknown message', () => {
    for (const type of unknown)
      expect(() => run([Buffer.of(type)])).toThrow(expect.objectContaining({ code: 'viewer_protocol' }));
  });

  test('is refused for every QEMU message but the key', () => {
    for (let kind = 1; kind < 256; kind++)
      expect(() => run([Buffer.of(255, kind)])).toThrow(expect.objectContaining({ code: 'viewer_protocol' }));
  });

  test('keeps what it sent before that', () => {
    const filter = createClientMessageFilter({ viewOnly: true, onHumanInput: () => {} });
    const request = Buffer.of(3, 1, 0, 0, 0, 0, 0, 1, 0, 1);
    expect(Buffer.concat(filter.push(request))).toEqual(request);
    expect(() => filter.push(Buffer.of(1))).toThrow();
  });

  const mebibyte = 1024 * 1024;

  test.each([mebibyte + 1, -mebibyte - 1, 0x7fff_ffff, -0x7fff_ffff, -0x8000_0000])(
    'is refused for %d bytes of clipboard before it has sent them',
    (length) => {
      expect(() => run([Buffer.concat([Buffer.of(6, 0, 0, 0), u32(length)])])).toThrow(
        expect.objectContaining({ code: 'viewer_message_too_big' }),
      );
    },
  );

  test.each([mebibyte, -mebibyte])('may send %d bytes of clipboard', (length) => {
    const body = Buffer.alloc(mebibyte, 4);
    const text = cutText(length, body).bytes;
    expect(run([text.subarray(0, 100), text.subarray(100)]).passed.equals(text)).toBe(true);
    expect(run([text], true).passed).toHaveLength(0);
  });

  test('is refused for too many encodings, and for a fence that is too long', () => {
    const tooBig = expect.objectContaining({ code: 'viewer_message_too_big' });
    expect(() => run([Buffer.of(2, 0, 2, 1)])).toThrow(tooBig); // 513
    expect(() => run([Buffer.of(2, 0, 0xff, 0xff)])).toThrow(tooBig);
    expect(() => run([Buffer.of(248, 0, 0, 0, 0, 0, 0, 0, 65)])).toThrow(tooBig);
    expect(run([setEncodings(Array<number>(512).fill(0)).bytes]).passed).toHaveLength(2052);
  });

  test('never makes the relay keep more than a few KiB', () => {
    // The longest message that is kept until it is whole: SetDesktopSize with 255 screens.
    const screens = Buffer.concat([Buffer.of(251, 0, 0, 1, 0, 1, 255, 0), Buffer.alloc(16 * 255)]);
    const beginnings = fc.oneof(
      aConversation.map(({ messages }) => bytesOf(messages)),
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
      fc.nat({ max: screens.length }).map((length) => screens.subarray(0, length)),
      fc.nat({ max: 20_000 }).map((length) => cutText(mebibyte, Buffer.alloc(length)).bytes),
    );
    fc.assert(
      fc.property(beginnings, fc.integer({ min: 1, max: 5000 }), (bytes, size) => {
        const filter = createClientMessageFilter({ viewOnly: false, onHumanInput: () => {} });
        let kept = 0;
        let most = 0;
        try {
          for (let at = 0; at < bytes.length; at += size) {
            const chunk = bytes.subarray(at, at + size);
            kept += chunk.length - Buffer.concat(filter.push(chunk)).length;
            most = Math.max(most, kept);
          }
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_/));
        }
        expect(most).toBeLessThan(4096);
      }),
    );
  });

  test('is passed on or refused with one of our errors, whatever it sends, and a view-only one touches nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, viewOnly) => {
        try {
          run([Buffer.from(bytes)], viewOnly);
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^viewer_(protocol|message_too_big)$/));
        }
      }),
    );
  });
});

describe('what noVNC sends', () => {
  let novnc: Novnc;
  beforeAll(async () => {
    novnc = await loadNovnc();
  });

  type Write = (socket: OutgoingBytes, ...given: unknown[]) => void;
  const caps = { 0: 0 };
  /** Every maker of a message with what noVNC itself calls it with; the first letter says who does it. */
  const made: Readonly<Record<string, { given: readonly unknown[]; as: typeof view }>> = {
    keyEvent: { given: [0xff0d, 1], as: human },
    QEMUExtendedKeyEvent: { given: [0x61, 1, 0xe01d], as: human },
    pointerEvent: { given: [100, 200, 0xff], as: human },
    extendedPointerEvent: { given: [100, 200, 0x1ff], as: human },
    extendedClipboardProvide: { given: [[1], ['Grüße\nline']], as: touch },
    extendedClipboardNotify: { given: [[1]], as: human },
    extendedClipboardRequest: { given: [[1]], as: touch },
    extendedClipboardCaps: { given: [[1 << 24, 1 << 25], caps], as: touch },
    clientCutText: { given: [Buffer.from('text')], as: human },
    setDesktopSize: { given: [1920, 1080, 1, 0], as: touch },
    clientFence: { given: [0x8000_0001, 'payload'], as: view },
    enableContinuousUpdates: { given: [1, 0, 0, 1920, 1080], as: view },
    pixelFormat: { given: [24, true], as: view },
    clientEncodings: { given: [[7, 16, 0, -223, -258, extendedMouseButtons]], as: view },
    fbUpdateRequest: { given: [true, 0, 0, 1920, 1080], as: view },
    xvpOp: { given: [1, 2], as: touch },
  };

  test('is all known here: nothing was added since', () => {
    const makers = Object.keys(novnc.messages).filter((name) => !name.startsWith('_'));
    expect(makers.toSorted()).toEqual(Object.keys(made).toSorted());
  });

  test('passes in a session that may control, and in a view-only one as far as it touches nothing', () => {
    const messages = [
      ...Object.keys(made),
      'clientEncodings',
      'extendedPointerEvent',
      'pointerEvent',
    ].toSorted(
      // A viewer says what it knows before it uses it.
      (a, b) => Number(b === 'clientEncodings') - Number(a === 'clientEncodings'),
    );
    const sent = messages.flatMap((name) => {
      const maker = novnc.messages[name] as Write | undefined;
      const how = made[name];
      return maker && how ? [how.as(written((socket) => maker(socket, ...how.given)))] : [];
    });
    expect(sent).toHaveLength(Object.keys(made).length + 3);
    const bytes = bytesOf(sent);
    for (const chunks of [[bytes], byteByByte(bytes)]) {
      expect(run(chunks).passed.equals(bytes)).toBe(true);
      expect(run(chunks, true).passed.equals(bytesOf(sent.filter(({ input }) => !input)))).toBe(true);
      expect(run(chunks).inputs).toBe(sent.filter(({ human }) => human).length);
    }
  });
});
