/** Memory that the relay and its recording thread share, so that a record is copied once and no thread waits for the other. */
export interface SlabMemory {
  /** The slabs, one behind the other. */
  readonly slabs: SharedArrayBuffer;
  /** How many slabs were sent, and a ring of them: number and used bytes of each. */
  readonly sent: SharedArrayBuffer;
  /** How many the thread has written. Both counts wrap around. */
  readonly written: SharedArrayBuffer;
}

export const slabBytes = 256 * 1024;
/** The system provides a slab's memory when it is first used, and the last one that was given back is used first. */
const slabCount = 64;
/** Most slabs that wait for the thread. A power of two. */
export const ringSlots = 4 * 1024;
const intsPerSlot = 2;
/** In place of the number of a slab: its memory comes with a message. */
export const ownMemory = -1;

export function createSlabMemory(): SlabMemory {
  const ints = (count: number) => new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT);
  return {
    slabs: new SharedArrayBuffer(slabCount * slabBytes),
    sent: ints(1 + ringSlots * intsPerSlot),
    written: ints(1),
  };
}

/** Where the slab with this sequence number is in the ring. */
export const slotOf = (sequence: number): number => 1 + (sequence & (ringSlots - 1)) * intsPerSlot;
