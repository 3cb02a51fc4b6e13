import { ownMemory, slabBytes, slotOf, type SlabMemory } from './slab-memory.ts';

/** The thread's side of the slabs: takes them in the order in which they were sent. */
export class SlabReceiver {
  readonly #slabs: SharedArrayBuffer;
  readonly #sent: Int32Array;
  readonly #written: Int32Array;
  readonly #onSlab: (bytes: Buffer) => void;
  readonly #isBusy: () => boolean;
  /** Memory that came with messages, in order. */
  readonly #own: ArrayBuffer[] = [];
  #taken = 0;

  /** The bytes of `onSlab` are valid during the call. While `isBusy`, slabs wait. */
  constructor({ slabs, sent, written }: SlabMemory, onSlab: (bytes: Buffer) => void, isBusy: () => boolean) {
    this.#slabs = slabs;
    this.#sent = new Int32Array(sent);
    this.#written = new Int32Array(written);
    this.#onSlab = onSlab;
    this.#isBusy = isBusy;
  }

  /** A message has brought the memory of a slab. */
  receive(memory: ArrayBuffer): void {
    this.#own.push(memory);
    this.take();
  }

  /** Takes what was sent, until it is busy. */
  take(): void {
    this.#takeUntil(this.#isBusy);
  }

  /** Takes all that was sent. */
  takeAll(): void {
    this.#takeUntil(() => false);
  }

  /** Stops in front of a slab whose message has not arrived. */
  #takeUntil(isBusy: () => boolean): void {
    const sent = Atomics.load(this.#sent, 0);
    while (this.#taken !== sent && !isBusy()) {
      const slot = slotOf(this.#taken);
      const slab = this.#sent[slot] ?? 0;
      const used = this.#sent[slot + 1] ?? 0;
      const own = slab === ownMemory ? this.#own.shift() : undefined;
      if (slab === ownMemory && !own) return;
      this.#taken = (this.#taken + 1) | 0;
      this.#onSlab(own ? Buffer.from(own, 0, used) : Buffer.from(this.#slabs, slab * slabBytes, used));
      Atomics.add(this.#written, 0, 1);
    }
  }
}
