/** Messages from this page to a terminal: docs/protocol.md, "Binary frames of a terminal". */

/**
 * The relay's limit for one message. The relay sends a long paste to the machine at a pace that it bears.
 */
const maxMessageBytes = 1024 * 1024;
/** The relay's limit for columns and rows. */
const maxSide = 1000;

const utf8 = new TextEncoder();

export function inputMessages(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const messages: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += maxMessageBytes) {
    const piece = bytes.subarray(at, at + maxMessageBytes);
    const head = utf8.encode(`0:${piece.length}:`);
    const message = new Uint8Array(head.length + piece.length);
    message.set(head);
    message.set(piece, head.length);
    messages.push(message);
  }
  return messages;
}

export const textInput = (text: string) => inputMessages(utf8.encode(text));

/** Mouse reports in the legacy format: each character is one byte. */
export const binaryInput = (text: string) =>
  inputMessages(Uint8Array.from(text, (character) => character.charCodeAt(0)));

export function resizeMessage(columns: number, rows: number): Uint8Array<ArrayBuffer> {
  const side = (given: number) => Math.max(1, Math.min(maxSide, Math.floor(given)));
  return utf8.encode(`1:${side(columns)}:${side(rows)}:`);
}
