import type { ForwardBytes, MessageReader } from '../stream/upstream-side.ts';

/** The longest field: ServerInit up to the name (RFC 6143 section 7.3.2). */
const maxFieldBytes = 24;

/**
 * Reads a stream of messages field by field, as the current step asks for it, and forwards the bytes that are not
 * withheld. Buffers one field at most; everything else is forwarded or dropped where it lies in the source.
 */
export class FieldReader implements MessageReader {
  /** The field that was read last. */
  readonly field = Buffer.alloc(maxFieldBytes);
  #fieldLength = 0;
  #fieldBytesRead = 0;
  #bodyBytesLeft = 0;
  #next: () => void = () => {};
  #forwarding = true;
  #release: Buffer | undefined;

  /** Reads a field of this length, then calls `next`. */
  readField(length: number, next: () => void): void {
    this.#fieldLength = length;
    this.#fieldBytesRead = 0;
    this.#next = next;
  }

  /** Passes over a body of this length, then calls `next`. */
  skipBody(length: number, next: () => void): void {
    if (length === 0) next();
    else {
      this.#bodyBytesLeft = length;
      this.#next = next;
    }
  }

  /** Forwards nothing, from the byte on that was read last. */
  withhold(): void {
    this.#forwarding = false;
  }

  /** Forwards what follows, and before it `release`: bytes that were withheld and turned out to be allowed. */
  forward(release?: Buffer): void {
    this.#forwarding = true;
    this.#release = release;
  }

  read(source: Buffer, start: number, end: number, forward: ForwardBytes): void {
    let forwardedTo = start;
    let position = start;
    while (position < end) {
      const wasForwarding = this.#forwarding;
      position = this.#consume(source, position, end);
      if (!this.#isStepDone) break;
      try {
        this.#next();
      } catch (error) {
        // The byte that was read last is the fault.
        if (wasForwarding && position - 1 > forwardedTo) forward(source, forwardedTo, position - 1);
        throw error;
      }
      if (this.#forwarding === wasForwarding) continue;
      if (wasForwarding && position - 1 > forwardedTo) forward(source, forwardedTo, position - 1);
      forwardedTo = position;
      const release = this.#release;
      this.#release = undefined;
      if (release) forward(release, 0, release.length);
    }
    if (this.#forwarding && end > forwardedTo) forward(source, forwardedTo, end);
  }

  get #isStepDone(): boolean {
    return this.#bodyBytesLeft === 0 && this.#fieldBytesRead === this.#fieldLength;
  }

  /** Consumes bytes of the current step. Returns the position after them. */
  #consume(source: Buffer, position: number, end: number): number {
    if (this.#bodyBytesLeft > 0) {
      const bytes = Math.min(this.#bodyBytesLeft, end - position);
      this.#bodyBytesLeft -= bytes;
      return position + bytes;
    }
    const bytes = Math.min(this.#fieldLength - this.#fieldBytesRead, end - position);
    // Fields are shorter than what a call of `copy` costs.
    for (let i = 0; i < bytes; i++) this.field[this.#fieldBytesRead + i] = source[position + i] ?? 0;
    this.#fieldBytesRead += bytes;
    return position + bytes;
  }
}
