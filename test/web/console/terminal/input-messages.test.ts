import fc from 'fast-check';
import { createTerminalMessageFilter } from '@porthole/relay/terminal/terminal-message-filter';
import { readTerminalMessages } from '@porthole/relay/terminal/terminal-messages';
import {
  resizeMessage,
  binaryInput,
  textInput,
} from '../../../../services/broker/web/src/console/terminal/input-messages.ts';

/** The input that the machine gets after the relay's filter. */
function filtered(messages: readonly Uint8Array[]): string {
  const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput: () => {} });
  const pieces = messages.flatMap((message) => filter.push(Buffer.from(message)));
  const inputs = pieces.flatMap((piece) => [...readTerminalMessages(piece)]);
  return Buffer.concat(
    inputs.map((input) => (input.type === 'data' ? input.data : Buffer.alloc(0))),
  ).toString();
}

test('typed and pasted text passes the relay unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 6000 }), (text) => {
      expect(filtered(textInput(text))).toBe(Buffer.from(text).toString());
    }),
  );
});

test('a paste that exceeds the message limit is sent in as few messages as possible', () => {
  const text = 'x'.repeat(1024 * 1024 + 10);
  expect(textInput(text)).toHaveLength(2);
  expect(filtered(textInput(text))).toBe(text);
});

test('a mouse report is sent as bytes', () => {
  expect(binaryInput('\x1b[M \xff!').map((message) => [...message])).toEqual([
    [...Buffer.from('0:6:'), 27, 91, 77, 32, 255, 33],
  ]);
});

test('the relay accepts the size for any window', () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 1e6, noNaN: true }), fc.nat(5000), (columns, rows) => {
      const filter = createTerminalMessageFilter({ viewOnly: false, onHumanInput: () => {} });
      expect(filter.push(Buffer.from(resizeMessage(columns, rows)))).toHaveLength(1);
    }),
  );
});
