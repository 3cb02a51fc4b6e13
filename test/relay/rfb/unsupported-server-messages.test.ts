import { clipboardActions } from '@porthole/relay/rfb/clipboard-policy';
import { randomChunks } from '../chunks.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { u32 } from './bytes.ts';
import { readServerMessages } from './read-server-messages.ts';
import {
  compactLength,
  cutText,
  extendedCutText,
  pixelFormatBytes,
  rectangle,
  serverInit,
  update,
} from './server-stream.ts';

const init = serverInit(pixelFormatBytes({ bits: 32 }));
const invalidResponse = expect.objectContaining({ code: 'proxmox_invalid_response' });
const errorOf = (...chunks: Buffer[]) => readServerMessages([init, ...chunks]).error;

describe('a machine that sends what the relay can’t parse ends the session', () => {
  test.each([5, 2, 21, 50, 17, -257, -259, -314, 0x574d_5664])('at encoding %d', (encoding) => {
    expect(errorOf(update(rectangle(8, 8, encoding, Buffer.alloc(40))))).toEqual(invalidResponse);
  });

  test('at an unknown message', () => {
    for (let type = 0; type < 256; type++) {
      if ([0, 1, 2, 3, 150, 248, 250].includes(type)) continue;
      expect(errorOf(Buffer.of(type))).toEqual(invalidResponse);
    }
  });

  test('at variants of Tight that differ between servers, as noVNC’s decoder does', () => {
    for (const control of [0xa, 0xb, 0xc, 0xd, 0xe, 0xf])
      expect(errorOf(update(rectangle(8, 8, 7, Buffer.of(control << 4, 0, 0, 0))))).toEqual(invalidResponse);
    expect(errorOf(update(rectangle(8, 8, 7, Buffer.of(0x40, 3))))).toEqual(invalidResponse);
    expect(errorOf(update(rectangle(8, 8, -260, Buffer.of(0x00, 0))))).toEqual(invalidResponse);
  });

  test('at pixels whose size is ambiguous', () => {
    const ambiguous = serverInit(pixelFormatBytes({ bits: 32, depth: 32 }));
    const tight = update(rectangle(1, 1, 7, Buffer.of(0x80)));
    expect(readServerMessages([ambiguous, tight]).error).toEqual(invalidResponse);
    const unsupported = serverInit(pixelFormatBytes({ bits: 24 }));
    const raw = update(rectangle(1, 1, 0));
    expect(readServerMessages([unsupported, raw]).error).toEqual(invalidResponse);
  });
});

describe('a machine that sends random or damaged messages', () => {
  test('has the same bytes forwarded in random chunks as in one, and ends the session in both or in neither', () => {
    const random = createSeededRandom(20_260_101);
    const alphabet = [0, 0, 0, 1, 2, 3, 3, 7, 16, 0x80, 0x90, 0x40, 150, 248, 250, 255];
    for (let round = 0; round < 3000; round++) {
      const noise = Buffer.from(
        Array.from({ length: 20 + random(300) }, () => alphabet[random(alphabet.length)] ?? 0),
      );
      const stream = Buffer.concat([init, noise]);
      const clipboard = round % 2 === 0 ? 'none' : 'in';
      const inOneChunk = readServerMessages([stream], { clipboard });
      const inRandomChunks = readServerMessages(randomChunks(stream, random), { clipboard });
      expect(inRandomChunks.forwarded.equals(inOneChunk.forwarded)).toBe(true);
      expect(inRandomChunks.error === undefined).toBe(inOneChunk.error === undefined);
      if (inOneChunk.error !== undefined) expect(inOneChunk.error).toEqual(invalidResponse);
    }
  });

  test('ends the session with the documented error, if at all, when one byte is changed', () => {
    const random = createSeededRandom(7);
    const text = Buffer.from('*the clipboard*');
    const picture = update(
      rectangle(8, 8, 16, u32(30), Buffer.alloc(30, 9)),
      rectangle(8, 8, 7, Buffer.of(0x00), compactLength(200), Buffer.alloc(200, 9)),
    );
    const texts = [cutText(text).bytes, extendedCutText(clipboardActions.provide, text).bytes];
    const valid = Buffer.concat([picture, ...texts, picture, ...texts]);
    expect(readServerMessages([init, valid]).forwarded.includes(text)).toBe(false);
    let errors = 0;
    for (let round = 0; round < 2000; round++) {
      const damaged = Buffer.from(valid);
      damaged[random(damaged.length)] = random(256);
      const error = errorOf(damaged);
      if (error === undefined) continue;
      expect(error).toEqual(invalidResponse);
      errors++;
    }
    expect(errors).toBeGreaterThan(0);
  });
});
