/** Memory that the relay and its recording thread share: slabs, and a count of those that the thread has written. */
export interface SlabMemory {
  readonly slabs: SharedArrayBuffer;
  readonly written: SharedArrayBuffer;
}

export const slabBytes = 256 * 1024;
/** The system provides a slab's memory when it is first used, and the last one that was given back is used first. */
const slabCount = 64;

export function createSlabMemory(): SlabMemory {
  return {
    slabs: new SharedArrayBuffer(slabCount * slabBytes),
    written: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  };
}

/** A slab that is sent: one of the shared ones, or memory of its own. */
export type SentSlab =
  { readonly slab: number; readonly used: number } | { readonly memory: ArrayBuffer; readonly used: number };

/** What was sent. */
export function bytesOf(memory: SlabMemory, sent: SentSlab): Buffer {
  if ('memory' in sent) return Buffer.from(sent.memory, 0, sent.used);
  return Buffer.from(memory.slabs, sent.slab * slabBytes, sent.used);
}

/** The thread has written the oldest slab that was sent, so the relay can use it again. */
export function markWritten({ written }: SlabMemory): void {
  Atomics.add(new Int32Array(written), 0, 1);
}
