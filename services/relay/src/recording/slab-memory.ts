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
/** Slabs are sent after a while, even if they are not full. */
const minSlabs = 64;
/** Most slabs that wait for the thread. A power of two. */
export const ringSlots = 4 * 1024;
const intsPerSlot = 2;
/** In place of the number of a slab: its memory comes with a message. */
export const ownMemory = -1;

/** The system provides a slab's memory when it is first used, and the last one that was given back is used first. */
export function createSlabMemory(maxBytes: number): SlabMemory {
  const slabCount = Math.min(Math.max(Math.ceil(maxBytes / slabBytes), minSlabs), ringSlots);
  const ints = (count: number) => new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT);
  return {
    slabs: new SharedArrayBuffer(slabCount * slabBytes),
    sent: ints(1 + ringSlots * intsPerSlot),
    written: ints(1),
  };
}

/** Where the slab with this sequence number is in the ring. */
export const slotOf = (sequence: number): number => 1 + (sequence & (ringSlots - 1)) * intsPerSlot;
