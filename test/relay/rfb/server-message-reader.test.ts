import fc from 'fast-check';
import { clipboardActions, createClipboardPolicy } from '@porthole/relay/rfb/clipboard-policy';
import { createServerMessageReader } from '@porthole/relay/rfb/server-message-reader';
import { readPixelFormat } from '@porthole/relay/rfb/pixel-format';
import { createSeededRandom, cutAtRandom } from '../raw-websocket.ts';
import { byteByByte, chunksOf } from '../chunks.ts';
import {
  aConversation,
  compact,
  cutText,
  extended,
  pixelFormatBytes,
  serverInit,
  u16,
  u32,
  type ServerMessage,
} from './server-stream.ts';

const colours32 = pixelFormatBytes({ bits: 32 });
const formats = [
  { bytes: colours32, sizes: { pixel: 4, tight: 3 } },
  {
    bytes: pixelFormatBytes({ bits: 32, depth: 30, max: [1023, 1023, 1023] }),
    sizes: { pixel: 4, tight: 4 },
  },
  { bytes: pixelFormatBytes({ bits: 16, depth: 16, max: [31, 63, 31] }), sizes: { pixel: 2, tight: 2 } },
  { bytes: pixelFormatBytes({ bits: 8, depth: 8, trueColour: false }), sizes: { pixel: 1, tight: 1 } },
];

const none = createClipboardPolicy('none');
const pasteOnly = createClipboardPolicy('in');

function reader(options: { format?: Buffer | undefined; policy?: typeof none } = {}) {
  const viewers = options.format && readPixelFormat(options.format);
  const messages = createServerMessageReader({
    pixelFormat: () => viewers,
    allowsClipboardMessage: (options.policy ?? none).allowsOut,
  });
  const passed: Buffer[] = [];
  return {
    /** Reads a copy out of the middle of other memory, and spoils that afterwards. */
    read(chunk: Buffer) {
      const lent = Buffer.concat([Buffer.of(3, 3), chunk, Buffer.of(3)]);
      try {
        messages.read(lent, 2, 2 + chunk.length, (source, start, end) =>
          passed.push(Buffer.from(source.subarray(start, end))),
        );
      } finally {
        lent.fill(0xee);
      }
    },
    passed: () => Buffer.concat(passed),
  };
}

function run(chunks: readonly Buffer[], options: Parameters<typeof reader>[0] = {}) {
  const reading = reader(options);
  let fault: unknown;
  try {
    for (const chunk of chunks) reading.read(chunk);
  } catch (error) {
    fault = error;
  }
  return { passed: reading.passed(), fault };
}

const nonsense = expect.objectContaining({ code: 'proxmox_invalid_response' });
const bytesOf = (messages: readonly ServerMessage[]) => Buffer.concat(messages.map(({ bytes }) => bytes));
const without = (messages: readonly ServerMessage[], ...kinds: readonly ServerMessage['kind'][]) =>
  bytesOf(messages.filter(({ kind }) => !kinds.includes(kind)));

describe("a machine's messages, where its clipboard is its own", () => {
  test.each(formats)(
    'pass without the clipboard, however they are cut ($sizes)',
    ({ bytes: format, sizes }) => {
      const begin = serverInit(format);
      fc.assert(
        fc.property(
          aConversation(sizes).chain((messages) =>
            chunksOf(Buffer.concat([begin, bytesOf(messages)])).map((chunks) => ({ messages, chunks })),
          ),
          ({ messages, chunks }) => {
            const nothing = run(chunks);
            expect(nothing.fault).toBeUndefined();
            expect(nothing.passed.equals(Buffer.concat([begin, without(messages, 'text', 'words')]))).toBe(
              true,
            );
            // Where the viewer may paste, the two may say what they can do.
            const talk = run(chunks, { policy: pasteOnly });
            expect(talk.passed.equals(Buffer.concat([begin, without(messages, 'text')]))).toBe(true);
          },
        ),
        { numRuns: 250 },
      );
    },
  );

  test('pass byte by byte as they pass whole', () => {
    fc.assert(
      fc.property(aConversation({ pixel: 4, tight: 3 }), (messages) => {
        const stream = Buffer.concat([serverInit(colours32), bytesOf(messages)]);
        for (const policy of [none, pasteOnly])
          expect(run(byteByByte(stream), { policy })).toEqual(run([stream], { policy }));
      }),
      { numRuns: 60 },
    );
  });

  test('are read in the format that the viewer has set, not in the one that the machine began with', () => {
    const pixels = Buffer.concat([
      Buffer.of(0, 0),
      u16(1),
      u16(0),
      u16(0),
      u16(2),
      u16(2),
      u32(0),
      Buffer.alloc(8, 3),
    ]);
    const stream = Buffer.concat([
      serverInit(colours32),
      pixels,
      cutText(Buffer.from('secret')).bytes,
      Buffer.of(2),
    ]);
    const { passed, fault } = run([stream], { format: formats[2]?.bytes });
    expect(fault).toBeUndefined();
    expect(passed).toEqual(Buffer.concat([serverInit(colours32), pixels, Buffer.of(2)]));
  });

  test('pass in parts: nothing waits for the end of a picture', () => {
    const reading = reader();
    const begin = serverInit(colours32);
    reading.read(begin);
    const half = Buffer.concat([
      Buffer.of(0, 0),
      u16(1),
      u16(0),
      u16(0),
      u16(999),
      u16(999),
      u32(0),
      Buffer.alloc(50),
    ]);
    reading.read(half);
    expect(reading.passed()).toEqual(Buffer.concat([begin, half]));
  });

  test('may say what they can do, but have no room for text in that', () => {
    const { request, caps, notify, provide } = clipboardActions;
    const hidden = Buffer.from('hidden text');
    const stream = (message: ServerMessage) => [serverInit(colours32), message.bytes, Buffer.of(2)];
    const passes = (message: ServerMessage) =>
      run(stream(message), { policy: pasteOnly }).passed.includes(message.bytes);
    expect(passes(extended(request | 1))).toBe(true);
    expect(passes(extended(request | 1, hidden))).toBe(false);
    expect(passes(extended(caps | 1, Buffer.alloc(64)))).toBe(true);
    expect(passes(extended(caps | 1, Buffer.alloc(65)))).toBe(false);
    expect(passes(extended(request | provide | 1))).toBe(false);
    expect(passes(extended(notify | 1))).toBe(false);
    expect(passes(extended(0))).toBe(true);
  });

  test('may be as long as they like: none of them is kept', () => {
    const reading = reader();
    reading.read(serverInit(colours32));
    const before = reading.passed().length;
    reading.read(Buffer.concat([Buffer.of(3, 0, 0, 0), u32(0x7fff_ffff)]));
    const text = Buffer.alloc(64 * 1024, 0x41);
    for (let at = 0; at < 100; at++) reading.read(text);
    expect(reading.passed().length).toBe(before);
  });
});

describe('a machine that sends what can not be followed', () => {
  const update = (...rect: Buffer[]) =>
    Buffer.concat([serverInit(colours32), Buffer.of(0, 0), u16(1), u16(0), u16(0), u16(8), u16(8), ...rect]);

  test.each([5, 2, 21, 50, 17, -257, -259, -314, 0x574d_5664])('is refused at encoding %d', (encoding) => {
    expect(run([update(u32(encoding), Buffer.alloc(40))]).fault).toEqual(nonsense);
  });

  test('is refused at an unknown message', () => {
    for (let type = 0; type < 256; type++) {
      if ([0, 1, 2, 3, 150, 248, 250].includes(type)) continue;
      expect(run([serverInit(colours32), Buffer.of(type)]).fault).toEqual(nonsense);
    }
  });

  test("is refused at forms of Tight that differ from server to server, as noVNC's decoder does", () => {
    for (const control of [0xa, 0xb, 0xc, 0xd, 0xe, 0xf])
      expect(run([update(u32(7), Buffer.of(control << 4, 0, 0, 0))]).fault).toEqual(nonsense);
    expect(run([update(u32(7), Buffer.of(0x40, 3))]).fault).toEqual(nonsense);
    expect(run([update(u32(-260), Buffer.of(0x00, 0))]).fault).toEqual(nonsense);
  });

  test('is refused when nobody knows how long its pixels are', () => {
    const unclear = pixelFormatBytes({ bits: 32, depth: 32 });
    const tight = Buffer.concat([
      Buffer.of(0, 0),
      u16(1),
      u16(0),
      u16(0),
      u16(1),
      u16(1),
      u32(7),
      Buffer.of(0x80),
    ]);
    expect(run([serverInit(unclear), tight]).fault).toEqual(nonsense);
    const odd = pixelFormatBytes({ bits: 24 });
    const raw = Buffer.concat([Buffer.of(0, 0), u16(1), u16(0), u16(0), u16(1), u16(1), u32(0)]);
    expect(run([serverInit(odd), raw]).fault).toEqual(nonsense);
  });

  test('never gets more past than it would in one piece, whatever it sends', () => {
    const random = createSeededRandom(20_260_101);
    const alphabet = [0, 0, 0, 1, 2, 3, 3, 7, 16, 0x80, 0x90, 0x40, 150, 248, 250, 255];
    for (let round = 0; round < 3000; round++) {
      const noise = Buffer.from(
        Array.from({ length: 20 + random(300) }, () => alphabet[random(alphabet.length)] ?? 0),
      );
      const stream = Buffer.concat([serverInit(colours32), noise]);
      const policy = round % 2 === 0 ? none : pasteOnly;
      const whole = run([stream], { policy });
      const inPieces = run(cutAtRandom(stream, random), { policy });
      expect(inPieces.passed.equals(whole.passed)).toBe(true);
      expect(inPieces.fault === undefined).toBe(whole.fault === undefined);
      if (whole.fault !== undefined) expect(whole.fault).toEqual(nonsense);
    }
  });

  test('is read on or refused when it is damaged in one place, and never breaks the relay', () => {
    const marker = Buffer.from('*the clipboard*');
    const random = createSeededRandom(7);
    const place = Buffer.concat([u16(0), u16(0), u16(8), u16(8)]);
    const picture = Buffer.concat([
      Buffer.of(0, 0),
      u16(2),
      Buffer.concat([place, u32(16), u32(30), Buffer.alloc(30, 9)]),
      Buffer.concat([place, u32(7), Buffer.of(0x00), compact(200), Buffer.alloc(200, 9)]),
    ]);
    const texts = [cutText(marker).bytes, extended(clipboardActions.provide, marker).bytes];
    const good = Buffer.concat([picture, ...texts, picture, ...texts]);
    expect(run([serverInit(colours32), good]).passed.includes(marker)).toBe(false);
    let refused = 0;
    for (let round = 0; round < 2000; round++) {
      const bad = Buffer.from(good);
      bad[random(bad.length)] = random(256);
      const { fault } = run([serverInit(colours32), bad]);
      if (fault === undefined) continue;
      expect(fault).toEqual(nonsense);
      refused++;
    }
    expect(refused).toBeGreaterThan(0);
  });
});
