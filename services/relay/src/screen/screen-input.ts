import { clientMessageTypes } from '../rfb/message-types.ts';
import { HeldInput, isDown, toPlainKeyEvent } from './held-input.ts';

/** How many requests for another size may wait for the machine's answer. */
const maxResizes = 64;

/**
 * Passes the input of all viewers with control to the machine, as whole messages and without a detour by a worker. The
 * machine never keeps a key or a button down that no viewer holds any more.
 */
export class ScreenInput {
  readonly #send: (message: Buffer) => void;
  readonly #held = new HeldInput();
  /** Viewers that have asked for another size, in the order in which the machine answers. */
  #resizes: number[] = [];
  /** What the console before may have left pressed: it was lost before it could be told. */
  #unreleased: Buffer[] = [];
  #connected = false;
  #extendedKeys = false;

  /** `send` sends a message to the machine. */
  constructor(send: (message: Buffer) => void) {
    this.#send = send;
  }

  /** Another console takes the place of this one: nothing is pressed any more, and input waits for its picture. */
  disconnect(): void {
    const releases = this.#held.releaseAll();
    if (this.#connected) for (const message of releases) this.#send(message);
    this.#unreleased.push(...releases);
    this.#connected = false;
    this.#extendedKeys = false;
    this.#resizes = [];
  }

  /** The console shows a picture, so it accepts input. */
  connect(): void {
    this.#connected = true;
    for (const message of this.#unreleased.splice(0)) this.#sendKey(message);
  }

  /** The machine accepts QEMU's extended key events. */
  onExtendedKeys(): void {
    this.#extendedKeys = true;
  }

  /** An input message of a viewer with control. Returns whether it was one. */
  onMessage(viewer: number, message: Buffer): boolean {
    switch (message[0]) {
      case clientMessageTypes.keyEvent:
      case clientMessageTypes.qemu:
        this.#onKey(viewer, message);
        return true;
      case clientMessageTypes.pointerEvent:
        if (this.#connected) this.#send(this.#held.pointer(viewer, message));
        return true;
      case clientMessageTypes.setDesktopSize:
        if (!this.#connected || this.#resizes.length === maxResizes) return true;
        this.#resizes.push(viewer);
        this.#send(message);
        return true;
      default:
        return false;
    }
  }

  /** The viewer leaves or loses control. */
  release(viewer: number): void {
    for (const message of this.#held.release(viewer)) if (this.#connected) this.#send(message);
  }

  /** The machine has answered a request for another size. Returns the viewer that it came from. */
  takeResize(): number | undefined {
    return this.#resizes.shift();
  }

  #onKey(viewer: number, event: Buffer): void {
    if (!this.#connected) return;
    const suitable = this.#suitableEvent(viewer, event);
    const message = suitable && this.#held.key(viewer, suitable);
    if (message) this.#send(message);
  }

  /** A key is released as it was pressed, also if the machine has announced extended key events in between. */
  #suitableEvent(viewer: number, event: Buffer): Buffer | undefined {
    const isExtended = event[0] === clientMessageTypes.qemu;
    if (!isExtended || this.#held.holds(viewer, event)) return event;
    return this.#extendedKeys && isDown(event) ? event : toPlainKeyEvent(event);
  }

  #sendKey(message: Buffer): void {
    const isExtended = message[0] === clientMessageTypes.qemu;
    const suitable = !isExtended || this.#extendedKeys ? message : toPlainKeyEvent(message);
    if (suitable) this.#send(suitable);
  }
}
