import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { Backlog, type BacklogDeps } from './backlog.ts';
import { RecordSlab, slabBytesOf, type EncodedRecord } from './record-slab.ts';
import { createSlabMemory, ownMemory, ringSlots, slabBytes, slotOf, type SlabMemory } from './slab-memory.ts';

/** The receiver looks regularly. If so many slabs wait, or an eighth of what may wait, it is told to look at once. */
const maxWakeSlabs = 16;

export interface SlabSenderDeps extends Omit<BacklogDeps, 'look'> {
  readonly clock: Clock;
  readonly sendMs: number;
  /** Tells the receiver to look, with the memory of a slab that it does not share. */
  readonly post: (memory: ArrayBuffer | undefined) => void;
}

interface SentSlab {
  /** Its number, or `ownMemory`. */
  readonly slab: number;
  readonly used: number;
}

/** Collects records in memory that the receiver shares, and marks it as sent when it is full or has waited. */
export class SlabSender {
  readonly #deps: SlabSenderDeps;
  readonly #backlog: Backlog;
  readonly #wakeSlabs: number;
  #memory: SlabMemory;
  #ring: Int32Array;
  #written: Int32Array;
  #free: number[];
  #slab: RecordSlab | undefined;
  #number = ownMemory;
  /** What the receiver has not written, as of the last look, in the order in which it was sent. */
  #unwritten: SentSlab[] = [];
  /** Sequence numbers, which wrap around. */
  #sentCount = 0;
  #writtenCount = 0;
  #cancelTimer: Cancel | undefined;

  constructor(deps: SlabSenderDeps) {
    this.#deps = deps;
    this.#wakeSlabs = Math.max(1, Math.min(maxWakeSlabs, Math.floor(deps.maxBytes / slabBytes / 8)));
    this.#backlog = new Backlog({ ...deps, look: () => this.#reclaim() });
    this.#memory = createSlabMemory(deps.maxBytes);
    this.#ring = new Int32Array(this.#memory.sent);
    this.#written = new Int32Array(this.#memory.written);
    this.#free = freeSlabs(this.#memory);
  }

  /** For the receiver. */
  get memory(): SlabMemory {
    return this.#memory;
  }

  screen(part: number, timeMs: number, source: Buffer, start = 0, end = source.length): void {
    this.#backlog.count(part, end - start);
    for (let at = start; at < end;) {
      const taken = this.#current().screen(part, timeMs, source, at, end);
      if (taken === 0) this.send();
      at += taken;
    }
  }

  terminalOutput(part: number, timeMs: number, source: Buffer, start = 0, end = source.length): void {
    this.#backlog.count(part, end - start);
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
    const { post } = this.#deps;
    if (this.#unwritten.length === ringSlots) {
      this.#giveBack(sent.slab);
      return this.#deps.onFull();
    }
    this.#unwritten.push(sent);
    const slot = slotOf(this.#sentCount);
    this.#ring[slot] = sent.slab;
    this.#ring[slot + 1] = sent.used;
    this.#sentCount = (this.#sentCount + 1) | 0;
    Atomics.store(this.#ring, 0, this.#sentCount);
    if (sent.slab === ownMemory) post(slab.memory.buffer as ArrayBuffer);
    else if (this.#unwritten.length % this.#wakeSlabs === 0) post(undefined);
    this.#backlog.add(sent.used);
  }

  /** See Backlog. */
  mustWait(part: number, onCaughtUp: () => void): boolean {
    return this.#backlog.mustWait(part, onCaughtUp);
  }

  /** The part has ended, so its console does not wait any longer. */
  release(part: number): void {
    this.#backlog.release(part);
  }

  /** The receiver is gone, with what was sent to it. The next one gets new memory. */
  reset(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#slab = undefined;
    this.#number = ownMemory;
    this.#memory = createSlabMemory(this.#deps.maxBytes);
    this.#ring = new Int32Array(this.#memory.sent);
    this.#written = new Int32Array(this.#memory.written);
    this.#free = freeSlabs(this.#memory);
    this.#unwritten = [];
    this.#sentCount = this.#writtenCount = 0;
    this.#backlog.clear();
  }

  #current(): RecordSlab {
    const { clock, sendMs } = this.#deps;
    this.#cancelTimer ??= clock.after(sendMs, () => this.send());
    return (this.#slab ??= this.#take());
  }

  #take(): RecordSlab {
    this.#reclaim();
    this.#number = this.#free.pop() ?? ownMemory;
    if (this.#number === ownMemory) return new RecordSlab(Buffer.allocUnsafeSlow(slabBytes));
    return new RecordSlab(Buffer.from(this.#memory.slabs, this.#number * slabBytes, slabBytes));
  }

  /** Takes back what the receiver has written. */
  #reclaim(): void {
    const written = Atomics.load(this.#written, 0);
    while (this.#writtenCount !== written) {
      this.#writtenCount = (this.#writtenCount + 1) | 0;
      const oldest = this.#unwritten.shift();
      if (!oldest) return;
      this.#giveBack(oldest.slab);
      this.#backlog.remove(oldest.used);
    }
  }

  #giveBack(slab: number): void {
    if (slab !== ownMemory) this.#free.push(slab);
  }
}

const freeSlabs = ({ slabs }: SlabMemory) =>
  Array.from({ length: slabs.byteLength / slabBytes }, (_, slab) => slab).toReversed();
