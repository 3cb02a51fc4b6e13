import { clientMessageTypes } from '../rfb/message-types.ts';

/** More keys than a keyboard has. Further ones are not pressed. */
const maxHeldKeys = 256;
/** Bits of a pointer event's buttons. The highest one announces a seventh byte, which the machine does not expect. */
const buttonBits = 0x7f;

/** The keys and buttons that one viewer holds. */
interface Held {
  /** The message that releases a key, by the key, in the order in which they were pressed. */
  readonly keys: Map<string, Buffer>;
  buttons: number;
  /** Where the pointer was last: the last four bytes of a pointer event. */
  position: Buffer;
}

/**
 * The keys and buttons that the viewers of a screen hold. The machine has one keyboard and one pointer, so what it gets
 * is the union: a key that two viewers hold is released when the second one releases it. Returns the messages that
 * the machine gets, as copies or slices of what was passed.
 */
export class HeldInput {
  readonly #held = new Map<number, Held>();

  /** A KeyEvent, or an extended key event of QEMU. Returns undefined if it changes nothing for the machine. */
  key(viewer: number, event: Buffer): Buffer | undefined {
    const { keys } = this.#of(viewer);
    const key = keyOf(event);
    if (isDown(event)) {
      if (!keys.has(key) && keys.size === maxHeldKeys) return undefined;
      if (!keys.has(key)) keys.set(key, releaseOf(event));
      return event; // Also if it is held already: keys repeat.
    }
    if (!keys.delete(key)) return undefined;
    this.#forgetIfIdle(viewer);
    return this.#isHeld(key) ? undefined : event;
  }

  /** Whether a viewer holds the key of this event. */
  holds(viewer: number, event: Buffer): boolean {
    return this.#held.get(viewer)?.keys.has(keyOf(event)) ?? false;
  }

  /** A PointerEvent. Returns it with the buttons that all viewers hold. */
  pointer(viewer: number, event: Buffer): Buffer {
    const held = this.#of(viewer);
    held.buttons = (event[1] ?? 0) & buttonBits;
    held.position = Buffer.from(event.subarray(2, 6));
    const message = this.#pointerEvent(held.position);
    this.#forgetIfIdle(viewer);
    return message;
  }

  /** Releases what a viewer holds. */
  release(viewer: number): Buffer[] {
    const held = this.#held.get(viewer);
    if (!held) return [];
    this.#held.delete(viewer);
    // The last one first: modifiers are pressed before the keys that they modify.
    const messages = [...held.keys]
      .toReversed()
      .flatMap(([key, release]) => (this.#isHeld(key) ? [] : [release]));
    if (held.buttons !== 0) messages.push(this.#pointerEvent(held.position));
    return messages;
  }

  /** Releases what all viewers hold. */
  releaseAll(): Buffer[] {
    return [...this.#held.keys()].flatMap((viewer) => this.release(viewer));
  }

  #of(viewer: number): Held {
    let held = this.#held.get(viewer);
    if (!held) {
      held = { keys: new Map(), buttons: 0, position: Buffer.alloc(4) };
      this.#held.set(viewer, held);
    }
    return held;
  }

  #forgetIfIdle(viewer: number): void {
    const held = this.#held.get(viewer);
    if (held && held.keys.size === 0 && held.buttons === 0) this.#held.delete(viewer);
  }

  #isHeld(key: string): boolean {
    for (const { keys } of this.#held.values()) if (keys.has(key)) return true;
    return false;
  }

  #pointerEvent(position: Buffer): Buffer {
    let buttons = 0;
    for (const held of this.#held.values()) buttons |= held.buttons;
    return Buffer.concat([Buffer.of(clientMessageTypes.pointerEvent, buttons), position]);
  }
}

function isExtended(event: Buffer): boolean {
  return event[0] === clientMessageTypes.qemu;
}

/** A key is known by its scancode if the viewer names one, and by its keysym otherwise. */
function keyOf(event: Buffer): string {
  return isExtended(event) ? `scancode ${event.readUInt32BE(8)}` : `keysym ${event.readUInt32BE(4)}`;
}

/** Whether a key event presses a key. */
export function isDown(event: Buffer): boolean {
  return isExtended(event) ? event.readUInt16BE(2) !== 0 : event[1] !== 0;
}

function releaseOf(event: Buffer): Buffer {
  const release = Buffer.from(event);
  if (isExtended(event)) release.writeUInt16BE(0, 2);
  else release[1] = 0;
  return release;
}

/** The KeyEvent for a machine that does not accept extended key events; undefined if the key has no keysym. */
export function toPlainKeyEvent(event: Buffer): Buffer | undefined {
  const keysym = event.readUInt32BE(4);
  if (keysym === 0) return undefined;
  const plain = Buffer.alloc(8);
  plain[0] = clientMessageTypes.keyEvent;
  plain[1] = isDown(event) ? 1 : 0;
  plain.writeUInt32BE(keysym, 4);
  return plain;
}
