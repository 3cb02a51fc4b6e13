import fc from 'fast-check';
import { buildStrokes } from '../../../../services/broker/web/src/console/keyboard/layouts/build-strokes.ts';
import {
  missingCharacters,
  typeCharacter,
  typeText,
} from '../../../../services/broker/web/src/console/keyboard/text-entry.ts';
import { createFakeClock } from '../../../fakes/clock.ts';

const us = buildStrokes({ id: 'us', system: 'linux' });
const german = buildStrokes({ id: 'de', system: 'linux' });
const shift = (down: boolean) => [0xffe1, 'ShiftLeft', down];
const altGr = (down: boolean) => [0xfe03, 'AltRight', down];
const key = (keysym: number, code: string) => [true, false].map((down) => [keysym, code, down]);

describe('text entry', () => {
  const typed = (character: string, strokes = us) => {
    const keys: unknown[] = [];
    typeCharacter({ sendKey: (...sent) => void keys.push(sent) }, strokes, character);
    return keys;
  };

  test('types a capital letter with Shift', () => {
    expect(typed('A')).toEqual([shift(true), ...key(0x41, 'KeyA'), [0x61, 'KeyA', false], shift(false)]);
  });

  test('types a German @ with AltGr, and é with a dead key', () => {
    expect(typed('@', german)).toEqual([
      altGr(true),
      ...key(0x40, 'KeyQ'),
      [0x71, 'KeyQ', false],
      altGr(false),
    ]);
    expect(typed('é', german)).toEqual([...key(0xb4, 'Equal'), ...key(0x65, 'KeyE')]);
  });

  test('sends a character that the layout lacks as its keysym', () => {
    expect(typed('é')).toEqual([[0xe9, '']]);
    expect(typed('€')).toEqual([[0x010020ac, '']]);
  });

  test('types a line break with Enter', () => {
    expect(typed('\n')).toEqual(key(0xff0d, 'Enter'));
  });

  test('counts the characters that the layout lacks, in the order of the text', () => {
    expect([...missingCharacters('für 5 €, nur 5 €\r\n“😀”', us)]).toEqual([
      ['ü', 1],
      ['€', 2],
      ['“', 1],
      ['😀', 1],
      ['”', 1],
    ]);
    expect([...missingCharacters('u\u0308', german)]).toEqual([]);
  });
});

describe('typing text', () => {
  /** Types with a clock that stands still, and lets the caller advance it. */
  function start(text: string, strokes = german) {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sent: { readonly at: number; readonly code: string; readonly down: boolean }[] = [];
    const counts: number[] = [];
    const begin = clock.now();
    const done = typeText(text, {
      screen: {
        sendKey: (_keysym, code, down) =>
          void sent.push({ at: clock.now() - begin, code, down: down === true }),
      },
      strokes,
      clock,
      signal: controller.signal,
      onTyped: (count) => void counts.push(count),
    });
    /** Lets the typing go on until it waits for nothing, or for so many of its waits. */
    async function run(waits = Infinity) {
      for (let turn = 0; turn < waits; turn += 1) {
        // Promises of the loop settle in a few microtasks.
        // oxlint-disable-next-line no-await-in-loop
        await new Promise(setImmediate);
        if (clock.pending() === 0) return;
        clock.advance(1000);
      }
    }
    return { clock, controller, sent, counts, done, run };
  }

  const held = (sent: readonly { code: string; down: boolean }[]) => {
    const keys = new Set<string>();
    for (const { code, down } of sent)
      if (down) keys.add(code);
      else keys.delete(code);
    return [...keys];
  };

  test('reports its progress, and skips characters that the layout lacks', async () => {
    const { done, run, counts, sent } = start('a→日b');
    await run();
    expect(await done).toBe(3);
    expect(counts).toEqual([1, 2, 3]);
    expect(sent.filter(({ down }) => down).map(({ code }) => code)).toEqual([
      'KeyA',
      'AltRight',
      'KeyI',
      'KeyB',
    ]);
  });

  test('leaves QEMU more than ten milliseconds for each key event, or it would drop keys of long texts', async () => {
    let now = 0;
    const times: number[] = [];
    await typeText('aA@é{}\n'.repeat(100), {
      screen: { sendKey: () => void times.push(now) },
      strokes: german,
      clock: {
        now: () => now,
        after(ms, fn) {
          now += ms;
          queueMicrotask(fn);
          return () => {};
        },
      },
      signal: new AbortController().signal,
      onTyped: () => {},
    });
    // QEMU ignores that a key is released again.
    expect(times.length).toBe(100 * (2 + 5 + 5 + 4 + 5 + 5 + 2));
    const behind = times.map((time, index) => index - time / 10);
    expect(Math.max(...behind)).toBeLessThanOrEqual(4);
  });

  test('stops at once when it is cancelled, and leaves no key down and no timer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 12 }), async (waits) => {
        const { controller, done, run, sent, clock, counts } = start('Äß@é{}\n~A');
        await run(waits);
        controller.abort();
        const before = sent.length;
        expect(await done).toBe(counts.length);
        expect(sent.length).toBe(before);
        expect(held(sent)).toEqual([]);
        expect(clock.pending()).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
