import { systemClock } from '@porthole/shared/time/clock';
import { buildStrokes } from '../../services/broker/web/src/console/keyboard/layouts/build-strokes.ts';
import {
  layoutNames,
  type LayoutId,
} from '../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { typeText } from '../../services/broker/web/src/console/keyboard/text-entry.ts';
import { eventually } from '../eventually.ts';
import { startLinuxGuest } from './linux-guest.ts';

/**
 * `npm run keyboard:linux`: types every character of every layout for Linux into a real one, in QEMU, and compares what arrives.
 * Needs Debian's package sources, and takes about three minutes.
 */
const begin = Date.now();
const scancodesFile = new URL('../../node_modules/@novnc/novnc/core/input/xtscancodes.js', import.meta.url)
  .href;
const { default: scancodes } = (await import(scancodesFile)) as {
  readonly default: Readonly<Record<string, number>>;
};
const guest = await startLinuxGuest();
console.log(`Linux has booted, ${seconds()} s`);
let wrong = 0;
try {
  for (const id of Object.keys(layoutNames) as LayoutId[]) {
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
    await eventually('the end has arrived', () => guest.received().endsWith('\n')).catch(() => {});
    const received = guest.received().slice(0, -1);
    // Characters that `ckbcomp` does not know. A key that was lost would show here too.
    const unknown = Array.from(text).filter((character) => !received.includes(character));
    const expected = Array.from(text).filter((character) => received.includes(character));
    if (received !== expected.join('') || unknown.some((character) => character <= '\u00ff')) {
      wrong += 1;
      console.log(`${id}: WRONG\nreceived ${received}\nexpected ${text}`);
    } else
      console.log(
        `${id}: ${expected.length} characters${unknown.length > 0 ? `, not ${unknown.join('')}` : ''}`,
      );
  }
} finally {
  await guest.stop();
}
console.log(`${wrong} layouts differ, ${seconds()} s`);
process.exitCode = wrong > 0 ? 1 : 0;

/** As noVNC does: the prefix E0 becomes the highest bit. */
function rfbKeycode(code: string): number {
  const scancode = scancodes[code] ?? 0;
  return scancode >> 8 === 0xe0 ? (scancode & 0x7f) | 0x80 : scancode;
}

function seconds(): number {
  return Math.round((Date.now() - begin) / 1000);
}
