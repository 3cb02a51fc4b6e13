/** Shared, because thousands of sessions hold one for as long as they live. */
const empty = Buffer.alloc(0);

/** Bytes that have arrived and are not parsed yet. For handshakes: complete fields matter there more than speed. */
export interface ByteQueue {
  push(chunk: Buffer): void;
  /** Removes and returns the next `size` bytes, or returns undefined if fewer have arrived. */
  read(size: number): Buffer | undefined;
  /** Returns the next `size` bytes without removing them. */
  peek(size: number): Buffer | undefined;
  /** Removes and returns all bytes. */
  readAll(): Buffer;
}

export function createByteQueue(): ByteQueue {
  let bytes: Buffer = empty;
  return {
    push(chunk) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    },
    read(size) {
      if (bytes.length < size) return undefined;
      const field = bytes.subarray(0, size);
      bytes = bytes.subarray(size);
      return field;
    },
    peek: (size) => (bytes.length < size ? undefined : bytes.subarray(0, size)),
    readAll() {
      const all = bytes;
      bytes = empty;
      return all;
    },
  };
}
