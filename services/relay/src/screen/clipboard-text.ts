import { inflate, constants } from 'node:zlib';
import { formatsOf, textFormat, type ClipboardMessage } from './clipboard-messages.ts';

/** Longest text in bytes. A few bytes of a message may claim gigabytes. */
const maxTextBytes = 1024 * 1024;

/**
 * The text of a `provide` message, for viewers that do not know the extended clipboard. Resolves with undefined if it has
 * none, or one that is too long or invalid.
 */
export function readProvidedText(message: ClipboardMessage): Promise<string | undefined> {
  if (!(formatsOf(message) & textFormat)) return Promise.resolve(undefined);
  // Not synchronously: text of this length would take milliseconds from all sessions.
  return new Promise((resolve) => {
    inflate(
      message.body,
      // Servers flush the stream and do not end it.
      { maxOutputLength: maxTextBytes + 4, finishFlush: constants.Z_SYNC_FLUSH },
      (error, bytes) => resolve(error || bytes.length < 4 ? undefined : textOf(bytes)),
    );
  });
}

/** Text comes first, as its length in four bytes and UTF-8 with CRLF that ends with a zero byte. */
function textOf(bytes: Buffer): string | undefined {
  const length = bytes.readUInt32BE(0);
  if (length > bytes.length - 4) return undefined;
  const text = bytes.toString('utf8', 4, 4 + length);
  return text.replace(/\0+$/, '').replaceAll('\r\n', '\n');
}
