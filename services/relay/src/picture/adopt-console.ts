import { encodings } from '../rfb/encodings.ts';
import { clientMessageTypes, serverMessageTypes } from '../rfb/message-types.ts';

/** Keysyms of the modifiers by their scancodes. QEMU uses the keysym if its keyboard layout is set (`-k`). */
const modifierKeysyms: ReadonlyMap<number, number> = new Map([
  [0x2a, 0xffe1], // Shift
  [0x36, 0xffe2],
  [0x1d, 0xffe3], // Control
  [0x9d, 0xffe4],
  [0x38, 0xffe9], // Alt
  [0xb8, 0xffea],
  [0xdb, 0xffeb], // Super
  [0xdc, 0xffec],
]);

/**
 * QEMU extended key events that release all keys, one for each scancode (rfbproto). QEMU ignores those of keys that are
 * not down. They also make QEMU refresh soon: after a time without changes, it looks for some every three seconds only.
 */
export function releaseAllKeys(): Buffer {
  const messages = Buffer.alloc(12 * 255);
  for (let scancode = 1; scancode <= 255; scancode++) {
    const at = 12 * (scancode - 1);
    messages[at] = clientMessageTypes.qemu;
    messages.writeUInt32BE(modifierKeysyms.get(scancode) ?? 0, at + 4);
    messages.writeUInt32BE(scancode, at + 8);
  }
  return messages;
}

const markerBytes = 16;
const acknowledgment = Buffer.alloc(4);
acknowledgment.writeInt32BE(encodings.qemuExtendedKey);

/**
 * Finds the place in a console's stream from which on it has the relay's pixel format and encodings: QEMU's
 * acknowledgment of its extended key events, an update with that rectangle alone. What comes before is discarded.
 */
export class AdoptionMarker {
  #end: Buffer = Buffer.alloc(0);

  /** Returns the size of the picture and the bytes behind the marker, when the marker is complete. */
  push(
    chunk: Uint8Array,
  ): { readonly width: number; readonly height: number; readonly rest: Buffer } | undefined {
    const bytes = Buffer.concat([this.#end, chunk]);
    for (let from = markerBytes - 4; ; from++) {
      from = bytes.indexOf(acknowledgment, from);
      if (from === -1) break;
      const start = from + 4 - markerBytes;
      if (bytes[start] !== serverMessageTypes.framebufferUpdate) continue;
      if (bytes.readUInt16BE(start + 2) !== 1 || bytes.readUInt32BE(start + 4) !== 0) continue;
      const [width, height] = [bytes.readUInt16BE(start + 8), bytes.readUInt16BE(start + 10)];
      return { width, height, rest: bytes.subarray(start + markerBytes) };
    }
    // A copy, because the memory of the chunk is reused.
    this.#end = Buffer.from(bytes.subarray(Math.max(0, bytes.length - markerBytes + 1)));
    return undefined;
  }
}
