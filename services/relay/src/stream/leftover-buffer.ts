/** One for all, because thousands of sessions hold one for as long as they live. */
const empty = Buffer.alloc(0);

/**
 * Buffers bytes until their handler is ready, up to a limit. Copies them into memory that grows by doubling, so a peer
 * that sends them one by one costs no more than one that sends them at once.
 */
export class LeftoverBuffer {
  readonly #maxBytes: number;
  #bytes: Buffer = empty;
  #length = 0;
  #exceeded = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Adds bytes from `start` to `end` of the source. Returns false if the limit is exceeded, and then drops
   * everything.
   */
  push(source: Buffer, start = 0, end = source.length): boolean {
    const length = this.#length + end - start;
    if (this.#exceeded || length > this.#maxBytes) {
      this.#exceeded = true;
      this.take();
      return false;
    }
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    source.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return true;
  }

  /** Removes and returns what is buffered. */
  readonly take = (): Buffer => {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = empty;
    this.#length = 0;
    return bytes;
  };
}
