import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { RecordSlab, slabBytesOf, type EncodedRecord } from './record-slab.ts';
import { createSlabMemory, slabBytes, type SentSlab, type SlabMemory } from './slab-memory.ts';

export interface SlabSenderDeps {
  readonly clock: Clock;
  readonly sendMs: number;
  readonly maxUnwrittenBytes: number;
  readonly post: (sent: SentSlab) => void;
  /** The receiver does not keep up. */
  readonly onBehind: () => void;
}

/** Collects records in memory that the receiver shares, and tells it when that is full or has waited. */
export class SlabSender {
  readonly #deps: SlabSenderDeps;
  #memory = createSlabMemory();
  #written = new Int32Array(this.#memory.written);
  #free = freeSlabs(this.#memory);
  #slab: RecordSlab | undefined;
  /** The shared slab that is being filled. Undefined for memory of its own. */
  #number: number | undefined;
  /** What the receiver has not written, as of the last look, in the order in which it was sent. */
  #sent: SentSlab[] = [];
  #unwritten = 0;
  /** Slabs that were written, as of the last look. Like its counterpart in shared memory, it wraps around. */
  #seenWritten = 0;
  #cancelTimer: Cancel | undefined;

  constructor(deps: SlabSenderDeps) {
    this.#deps = deps;
  }

  /** For the receiver. */
  get memory(): SlabMemory {
    return this.#memory;
  }

  screen(part: number, timeMs: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#current().screen(part, timeMs, bytes, at);
      if (taken === 0) this.send();
      at += taken;
    }
  }

  terminalOutput(part: number, timeMs: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#current().terminalOutput(part, timeMs, bytes, at);
      if (taken === 0) this.send();
      at += taken;
    }
  }

  add(part: number, timeMs: number, record: EncodedRecord): void {
    if (this.#current().add(part, timeMs, record)) return;
    this.send();
    const needed = slabBytesOf(record);
    if (needed > slabBytes) this.#slab = new RecordSlab(Buffer.allocUnsafeSlow(needed));
    this.#current().add(part, timeMs, record);
  }

  /** Sends what was collected. */
  send(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const slab = this.#slab;
    if (!slab || slab.used === 0) return;
    const { used, memory } = slab;
    const number = this.#number;
    const sent =
      number === undefined ? { memory: memory.buffer as ArrayBuffer, used } : { slab: number, used };
    this.#slab = this.#number = undefined;
    this.#reclaim();
    const { maxUnwrittenBytes, onBehind, post } = this.#deps;
    const wasBehind = this.#unwritten > maxUnwrittenBytes;
    this.#unwritten += used;
    this.#sent.push(sent);
    post(sent);
    if (!wasBehind && this.#unwritten > maxUnwrittenBytes) onBehind();
  }

  /** The receiver is gone, with what was sent to it. The next one gets new memory. */
  reset(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#slab = this.#number = undefined;
    this.#memory = createSlabMemory();
    this.#written = new Int32Array(this.#memory.written);
    this.#free = freeSlabs(this.#memory);
    this.#sent = [];
    this.#unwritten = this.#seenWritten = 0;
  }

  #current(): RecordSlab {
    const { clock, sendMs } = this.#deps;
    this.#cancelTimer ??= clock.after(sendMs, () => this.send());
    return (this.#slab ??= this.#take());
  }

  #take(): RecordSlab {
    this.#reclaim();
    this.#number = this.#free.pop();
    if (this.#number === undefined) return new RecordSlab(Buffer.allocUnsafeSlow(slabBytes));
    return new RecordSlab(Buffer.from(this.#memory.slabs, this.#number * slabBytes, slabBytes));
  }

  /** Takes back what the receiver has written. */
  #reclaim(): void {
    const written = Atomics.load(this.#written, 0);
    while (this.#seenWritten !== written) {
      this.#seenWritten = (this.#seenWritten + 1) | 0;
      const oldest = this.#sent.shift();
      if (!oldest) return;
      this.#unwritten -= oldest.used;
      if ('slab' in oldest) this.#free.push(oldest.slab);
    }
  }
}

const freeSlabs = ({ slabs }: SlabMemory) =>
  Array.from({ length: slabs.byteLength / slabBytes }, (_, slab) => slab).toReversed();
