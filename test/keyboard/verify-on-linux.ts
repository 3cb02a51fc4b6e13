import { systemClock } from '@porthole/shared/time/clock';
import { buildStrokes } from '../../services/broker/web/src/console/keyboard/layouts/build-strokes.ts';
import {
  layoutLanguages,
  type LayoutId,
} from '../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { typeText } from '../../services/broker/web/src/console/keyboard/text-entry.ts';
import { eventually } from '../eventually.ts';
import { startLinuxGuest } from './linux-guest.ts';

/**
 * `npm run keyboard:linux`: types every character of every layout for Linux into a real one, in QEMU, and compares what arrives.
 * `-- de fr`: only of these layouts. Needs Debian's package sources, and takes about four minutes. A machine that stands still
 * for more than about 200 ms loses keys, so on a busy computer a layout is tried up to three times.
 */
const begin = Date.now();
const scancodesFile = new URL('../../node_modules/@novnc/novnc/core/input/xtscancodes.js', import.meta.url)
  .href;
const { default: scancodes } = (await import(scancodesFile)) as {
  readonly default: Readonly<Record<string, number>>;
};
const guest = await startLinuxGuest();
console.log(`Linux has booted, ${seconds()} s`);
const ids = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(layoutLanguages);
let wrong = 0;
try {
  for (const id of ids as LayoutId[]) {
    let result = await tryLayout(id);
    for (let repeats = 0; result.wrong && repeats < 2; repeats += 1) {
      console.log(`${id}: again, because ${result.text}`);
      result = await tryLayout(id);
    }
    console.log(`${id}: ${result.text}`);
    if (result.wrong) wrong += 1;
  }
} finally {
  await guest.stop();
}
console.log(`${wrong} layouts differ, ${seconds()} s`);
process.exitCode = wrong > 0 ? 1 : 0;

async function tryLayout(id: LayoutId): Promise<{ readonly wrong: boolean; readonly text: string }> {
  await guest.useLayout(id);
  const strokes = buildStrokes({ id, system: 'linux' });
  const text = [...strokes.keys()].filter((character) => character !== '\n').join('');
  // The last character says that all have arrived.
  await typeText(`${text}\n`, {
    screen: {
      sendKey(keysym, code, down) {
        guest.rfb.extendedKeyEvent(keysym, rfbKeycode(code), down === true);
      },
    },
    strokes,
    clock: systemClock,
    signal: new AbortController().signal,
    onTyped: () => {},
  });
  await eventually('the end has arrived', () => guest.received().endsWith('\n'), { withinMs: 5000 }).catch(
    () => {},
  );
  const received = guest.received().slice(0, -1);
  // `ckbcomp` makes an apostrophe of ´, and does not know all characters beyond Latin-1.
  const unknown = Array.from(text).filter(
    (each) => !received.includes(each) && (each > '\u00ff' || each === '´'),
  );
  const expected = Array.from(text, (each) =>
    unknown.includes(each) ? (each === '´' ? "'" : '') : each,
  ).join('');
  if (received !== expected) return { wrong: true, text: `received ${received} instead of ${text}` };
  return {
    wrong: false,
    text: `${Array.from(text).length - unknown.length} characters${unknown.length > 0 ? `, not ${unknown.join('')}` : ''}`,
  };
}

/** As noVNC does: the prefix E0 becomes the highest bit. */
function rfbKeycode(code: string): number {
  const scancode = scancodes[code] ?? 0;
  return scancode >> 8 === 0xe0 ? (scancode & 0x7f) | 0x80 : scancode;
}

function seconds(): number {
  return Math.round((Date.now() - begin) / 1000);
}
