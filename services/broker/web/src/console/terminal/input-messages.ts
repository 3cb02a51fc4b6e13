/** What this page says to a terminal: docs/protocol.md, "Binary frames of a terminal". */

/**
 * The most that a relay takes in one message. No less, because termproxy loses a message whose head lies at the end of
 * its buffer: the fewer there are of a long paste, the better.
 */
const maxMessageBytes = 1024 * 1024;
/** The most that a relay takes; nobody reads more. */
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

/** Each character is one byte: reports of the mouse in the old format. */
export const binaryInput = (text: string) =>
  inputMessages(Uint8Array.from(text, (character) => character.charCodeAt(0)));

export function resizeMessage(columns: number, rows: number): Uint8Array<ArrayBuffer> {
  const side = (given: number) => Math.max(1, Math.min(maxSide, Math.floor(given)));
  return utf8.encode(`1:${side(columns)}:${side(rows)}:`);
}
