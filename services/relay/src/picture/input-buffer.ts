/**
 * Bytes that have arrived and are not decoded yet. Copies what it is given, because the memory of a socket is reused.
 * Memory grows with the longest field that its reader waits for, not with what a peer sends.
 */
export class InputBuffer {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Takes the next byte. */
  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Takes four bytes as the number 0xDDCCBBAA, without the highest byte: a pixel. */
  pixel(): number {
    return this.#bytes.readUInt32LE(this.#take(4)) & 0xff_ff_ff;
  }

  /** Takes bytes. They are valid until the next `push`. */
  take(count: number): Buffer {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Takes as many bytes as there are, up to `count`. Returns their number. */
  skip(count: number): number {
    const skipped = Math.min(count, this.length);
    this.#start += skipped;
    return skipped;
  }

  #take(count: number): number {
    const start = this.#start;
    if (start + count > this.#end) throw new RangeError('the input buffer has fewer bytes');
    this.#start += count;
    return start;
  }

  /** Moves what is left to the beginning, into larger memory if necessary. */
  #makeRoom(bytes: number): void {
    const needed = this.length + bytes;
    const target = needed > this.#bytes.length ? Buffer.allocUnsafeSlow(2 * needed) : this.#bytes;
    this.#bytes.copy(target, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#bytes = target;
  }
}
