/** Bytes that arrived and wait to be understood. For handshakes, where whole fields matter more than speed. */
export interface ByteQueue {
  push(chunk: Buffer): void;
  /** The next `size` bytes, or undefined until so many have arrived. */
  take(size: number): Buffer | undefined;
  /** The next `size` bytes without taking them. */
  peek(size: number): Buffer | undefined;
  /** Everything that is left. */
  rest(): Buffer;
  readonly length: number;
}

export function createByteQueue(): ByteQueue {
  let bytes: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    },
    take(size) {
      if (bytes.length < size) return undefined;
      const taken = bytes.subarray(0, size);
      bytes = bytes.subarray(size);
      return taken;
    },
    peek: (size) => (bytes.length < size ? undefined : bytes.subarray(0, size)),
    rest() {
      const all = bytes;
      bytes = Buffer.alloc(0);
      return all;
    },
    get length() {
      return bytes.length;
    },
  };
}
