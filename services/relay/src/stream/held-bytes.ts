/** Bytes that wait for their reader. */
export interface HeldBytes {
  /** Copies bytes of the source. Returns how many are held now. */
  keep(source: Buffer, start?: number, end?: number): number;
  /** Everything that was kept. Nothing is held any more. */
  readonly take: () => Buffer;
}

const firstBytes = 256;

/**
 * One buffer that doubles, because a peer decides in how many pieces its bytes arrive: an object for each piece of one
 * byte takes a hundred times its size.
 */
export function createHeldBytes(): HeldBytes {
  let held = Buffer.alloc(0);
  let size = 0;
  return {
    keep(source, start = 0, end = source.length) {
      const needed = size + end - start;
      if (needed > held.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * held.length, firstBytes));
        held.copy(larger, 0, 0, size);
        held = larger;
      }
      source.copy(held, size, start, end);
      return (size = needed);
    },
    take() {
      const all = held.subarray(0, size);
      held = Buffer.alloc(0);
      size = 0;
      return all;
    },
  };
}
