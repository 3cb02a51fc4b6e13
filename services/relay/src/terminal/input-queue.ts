const blockBytes = 16 * 1024;

/** Bytes that wait, in blocks, so that many short pieces need no more memory than one long piece. */
export class InputQueue {
  readonly #blocks: { readonly memory: Buffer; start: number; end: number }[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a copy. */
  push(piece: Buffer): void {
    this.#bytes += piece.length;
    for (let at = 0; at < piece.length;) {
      let block = this.#blocks.at(-1);
      if (!block || block.end === block.memory.length) {
        block = { memory: Buffer.allocUnsafeSlow(blockBytes), start: 0, end: 0 };
        this.#blocks.push(block);
      }
      const copied = piece.copy(block.memory, block.end, at);
      block.end += copied;
      at += copied;
    }
  }

  /** Removes and returns up to `maxBytes`, at least one byte if there is any. */
  take(maxBytes: number): Buffer {
    const block = this.#blocks[0];
    if (!block) return Buffer.alloc(0);
    const taken = block.memory.subarray(block.start, Math.min(block.end, block.start + maxBytes));
    block.start += taken.length;
    this.#bytes -= taken.length;
    if (block.start === block.end) this.#blocks.shift();
    return taken;
  }

  clear(): void {
    this.#blocks.length = 0;
    this.#bytes = 0;
  }
}
