/** What this page says to a terminal: docs/protocol.md, "Binary frames of a terminal". */

/**
 * The most that a relay takes in one message. No less, because termproxy loses a message whose head lies at the end of
 * its buffer: the fewer there are of a long paste, the better.
 */
const mostBytes = 1024 * 1024;
/** The most that a relay takes; nobody reads more. */
const mostSide = 1000;

const utf8 = new TextEncoder();

export function typed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const messages: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += mostBytes) {
    const piece = bytes.subarray(at, at + mostBytes);
    const head = utf8.encode(`0:${piece.length}:`);
    const message = new Uint8Array(head.length + piece.length);
    message.set(head);
    message.set(piece, head.length);
    messages.push(message);
  }
  return messages;
}

export const typedText = (text: string) => typed(utf8.encode(text));

/** Each character is one byte: reports of the mouse in the old format. */
export const typedBinary = (text: string) =>
  typed(Uint8Array.from(text, (character) => character.charCodeAt(0)));

export function sized(columns: number, rows: number): Uint8Array<ArrayBuffer> {
  const side = (given: number) => Math.max(1, Math.min(mostSide, Math.floor(given)));
  return utf8.encode(`1:${side(columns)}:${side(rows)}:`);
}
