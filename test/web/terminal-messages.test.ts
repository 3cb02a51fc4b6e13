import fc from 'fast-check';
import { createTerminalMessageFilter } from '@porthole/relay/terminal/terminal-message-filter';
import { sized, typedBinary, typedText } from '../../services/broker/web/src/console/terminal/messages.ts';

/** What of it the relay passes on, as the machine gets it. */
function passed(messages: readonly Uint8Array[]): string {
  const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput: () => {} });
  const pieces = messages.flatMap((message) => filter.push(Buffer.from(message)));
  return Buffer.concat(pieces.filter((_, index) => index % 2 === 1)).toString();
}

test('whatever is typed or pasted passes the relay whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 6000 }), (text) => {
      expect(passed(typedText(text))).toBe(Buffer.from(text).toString());
    }),
  );
});

test('a paste that is longer than a message may be goes in as few as possible', () => {
  const text = 'x'.repeat(1024 * 1024 + 10);
  expect(typedText(text)).toHaveLength(2);
  expect(passed(typedText(text))).toBe(text);
});

test('a report of the mouse is bytes, not letters', () => {
  expect(typedBinary('\x1b[M \xff!').map((message) => [...message])).toEqual([
    [...Buffer.from('0:6:'), 27, 91, 77, 32, 255, 33],
  ]);
});

test('a size is one that the relay takes, whatever the window', () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 1e6, noNaN: true }), fc.nat(5000), (columns, rows) => {
      const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput: () => {} });
      expect(filter.push(Buffer.from(sized(columns, rows)))).toHaveLength(1);
    }),
  );
});
