import { clientMessageTypes } from './message-types.ts';

/** More keys than a person holds. Further ones are forgotten, the oldest first, as by a keyboard without rollover. */
const maxHeld = 64;

/**
 * Knows which keys and buttons a viewer holds down in the machine, so that the relay can release them when it stops
 * forwarding input: otherwise a key would repeat until the viewer presses it again.
 */
export class HeldInput {
  /** The messages that release the keys, by the key that they are about. Undefined: no key is down. */
  #releases: Map<string, Buffer> | undefined;
  /** The message that releases all buttons where the pointer is. Undefined: no button is down. */
  #buttonRelease: Buffer | undefined;

  /** Takes note of a complete message that is forwarded. */
  forwarded(message: Buffer): void {
    switch (message[0]) {
      case clientMessageTypes.keyEvent:
        this.#onKey(`key ${message.readUInt32BE(4)}`, message, 1, 1);
        break;
      case clientMessageTypes.qemu:
        // The machine goes by the keycode; a keysym can differ between press and release.
        this.#onKey(`code ${message.readUInt32BE(8)}`, message, 2, 2);
        break;
      case clientMessageTypes.pointerEvent:
        this.#onPointer(message);
        break;
      default:
    }
  }

  /** The messages that release everything. Nothing counts as held afterwards. */
  release(): readonly Buffer[] {
    const messages = [...(this.#releases?.values() ?? [])];
    if (this.#buttonRelease) messages.push(this.#buttonRelease);
    this.#releases = undefined;
    this.#buttonRelease = undefined;
    return messages;
  }

  /** `at` and `bytes`: where the message says whether the key is down. */
  #onKey(key: string, message: Buffer, at: number, bytes: number): void {
    if (message.readUIntBE(at, bytes) === 0) {
      this.#releases?.delete(key);
      if (this.#releases?.size === 0) this.#releases = undefined;
      return;
    }
    const releases = (this.#releases ??= new Map());
    // A copy, because the socket reuses the message's memory.
    releases.set(key, Buffer.from(message).fill(0, at, at + bytes));
    const [oldest] = releases.keys();
    if (releases.size > maxHeld && oldest !== undefined) releases.delete(oldest);
  }

  /** The seventh byte of an extended pointer message has further buttons; the top bit of the mask marks it. */
  #onPointer(message: Buffer): void {
    const extended = message.length === 7;
    const buttons = extended ? ((message[1] ?? 0) & 0x7f) | (message[6] ?? 0) : (message[1] ?? 0);
    this.#buttonRelease =
      buttons === 0
        ? undefined
        : Buffer.from([clientMessageTypes.pointerEvent, 0, ...message.subarray(2, 6)]);
  }
}
