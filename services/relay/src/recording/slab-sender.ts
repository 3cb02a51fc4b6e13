import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { RecordSlab, slabBytesOf, type EncodedRecord } from './record-slab.ts';
import { createSlabMemory, ownMemory, ringSlots, slabBytes, slotOf, type SlabMemory } from './slab-memory.ts';

/** New memory costs more than what is copied into it. */
const maxSpareSlabs = 32;
/** The receiver looks regularly. If so many slabs wait, it is told to look at once. */
const wakeSlabs = 16;

export interface SlabSenderDeps {
  readonly clock: Clock;
  readonly sendMs: number;
  readonly maxUnwrittenBytes: number;
  /** Tells the receiver to look, with the memory of a slab that it does not share. */
  readonly post: (memory: ArrayBuffer | undefined) => void;
  /** The receiver does not keep up. */
  readonly onBehind: () => void;
}

interface SentSlab {
  /** Its number, or `ownMemory`. */
  readonly slab: number;
  readonly used: number;
}

/** Collects records in memory that the receiver shares, and marks it as sent when it is full or has waited. */
export class SlabSender {
  readonly #deps: SlabSenderDeps;
  #memory = createSlabMemory();
  #ring = new Int32Array(this.#memory.sent);
  #written = new Int32Array(this.#memory.written);
  #free = freeSlabs(this.#memory);
  /** Memory that is not shared, and that the receiver has given back. */
  #spare: Buffer[] = [];
  #slab: RecordSlab | undefined;
  #number = ownMemory;
  /** What the receiver has not written, as of the last look, in the order in which it was sent. */
  #unwritten: SentSlab[] = [];
  #unwrittenBytes = 0;
  /** Sequence numbers, which wrap around. */
  #sentCount = 0;
  #writtenCount = 0;
  #cancelTimer: Cancel | undefined;

  constructor(deps: SlabSenderDeps) {
    this.#deps = deps;
  }

  /** For the receiver. */
  get memory(): SlabMemory {
    return this.#memory;
  }

  screen(part: number, timeMs: number, source: Buffer, start = 0, end = source.length): void {
    for (let at = start; at < end;) {
      const taken = this.#current().screen(part, timeMs, source, at, end);
      if (taken === 0) this.send();
      at += taken;
    }
  }

  terminalOutput(part: number, timeMs: number, source: Buffer, start = 0, end = source.length): void {
    for (let at = start; at < end;) {
      const taken = this.#current().terminalOutput(part, timeMs, source, at, end);
      if (taken === 0) this.send();
      at += taken;
    }
  }

  add(part: number, timeMs: number, record: EncodedRecord): void {
    if (this.#current().add(part, timeMs, record)) return;
    this.send();
    const needed = slabBytesOf(record);
    if (needed > slabBytes) {
      // An empty slab is not sent.
      this.#giveBack(this.#number);
      this.#number = ownMemory;
      this.#slab = new RecordSlab(Buffer.allocUnsafeSlow(needed));
    }
    this.#current().add(part, timeMs, record);
  }

  /** Sends what was collected. */
  send(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const slab = this.#slab;
    if (!slab || slab.used === 0) return;
    const sent = { slab: this.#number, used: slab.used };
    this.#slab = undefined;
    this.#number = ownMemory;
    this.#reclaim();
    const { maxUnwrittenBytes, onBehind, post } = this.#deps;
    const wasBehind = this.#unwrittenBytes > maxUnwrittenBytes;
    if (this.#unwritten.length === ringSlots) {
      this.#giveBack(sent.slab);
      return onBehind();
    }
    this.#unwritten.push(sent);
    this.#unwrittenBytes += sent.used;
    const slot = slotOf(this.#sentCount);
    this.#ring[slot] = sent.slab;
    this.#ring[slot + 1] = sent.used;
    this.#sentCount = (this.#sentCount + 1) | 0;
    Atomics.store(this.#ring, 0, this.#sentCount);
    if (sent.slab === ownMemory) post(slab.memory.buffer as ArrayBuffer);
    else if (this.#unwritten.length % wakeSlabs === 0) post(undefined);
    if (!wasBehind && this.#unwrittenBytes > maxUnwrittenBytes) onBehind();
  }

  /** The receiver gives memory back that came with a message. */
  onReturned(memory: ArrayBuffer): void {
    if (memory.byteLength === slabBytes && this.#spare.length < maxSpareSlabs)
      this.#spare.push(Buffer.from(memory));
  }

  /** The receiver is gone, with what was sent to it. The next one gets new memory. */
  reset(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#slab = undefined;
    this.#number = ownMemory;
    this.#memory = createSlabMemory();
    this.#ring = new Int32Array(this.#memory.sent);
    this.#written = new Int32Array(this.#memory.written);
    this.#free = freeSlabs(this.#memory);
    this.#unwritten = [];
    this.#unwrittenBytes = this.#sentCount = this.#writtenCount = 0;
  }

  #current(): RecordSlab {
    const { clock, sendMs } = this.#deps;
    this.#cancelTimer ??= clock.after(sendMs, () => this.send());
    return (this.#slab ??= this.#take());
  }

  #take(): RecordSlab {
    this.#reclaim();
    this.#number = this.#free.pop() ?? ownMemory;
    if (this.#number === ownMemory)
      return new RecordSlab(this.#spare.pop() ?? Buffer.allocUnsafeSlow(slabBytes));
    return new RecordSlab(Buffer.from(this.#memory.slabs, this.#number * slabBytes, slabBytes));
  }

  /** Takes back what the receiver has written. */
  #reclaim(): void {
    const written = Atomics.load(this.#written, 0);
    while (this.#writtenCount !== written) {
      this.#writtenCount = (this.#writtenCount + 1) | 0;
      const oldest = this.#unwritten.shift();
      if (!oldest) return;
      this.#unwrittenBytes -= oldest.used;
      this.#giveBack(oldest.slab);
    }
  }

  #giveBack(slab: number): void {
    if (slab !== ownMemory) this.#free.push(slab);
  }
}

const freeSlabs = ({ slabs }: SlabMemory) =>
  Array.from({ length: slabs.byteLength / slabBytes }, (_, slab) => slab).toReversed();
