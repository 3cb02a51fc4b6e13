import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { RecordSlab, slabBytesOf, type EncodedRecord } from './record-slab.ts';

const slabBytes = 256 * 1024;
/** New memory costs more than what is copied into it. */
const maxSpareSlabs = 32;

export interface SlabSenderDeps {
  readonly clock: Clock;
  readonly sendMs: number;
  readonly maxUnwrittenBytes: number;
  readonly post: (memory: ArrayBuffer, used: number) => void;
  /** The receiver does not keep up. */
  readonly onBehind: () => void;
}

/** Collects records in memory of its own, and sends it when it is full or has waited. */
export class SlabSender {
  readonly #deps: SlabSenderDeps;
  #slab: RecordSlab | undefined;
  #spare: Buffer[] = [];
  #unwritten = 0;
  #cancelTimer: Cancel | undefined;

  constructor(deps: SlabSenderDeps) {
    this.#deps = deps;
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
    this.#slab = undefined;
    const { used } = slab;
    const { maxUnwrittenBytes, onBehind, post } = this.#deps;
    const wasBehind = this.#unwritten > maxUnwrittenBytes;
    this.#unwritten += used;
    post(slab.memory.buffer as ArrayBuffer, used);
    if (!wasBehind && this.#unwritten > maxUnwrittenBytes) onBehind();
  }

  /** The receiver has written what was in this memory, and gives it back. */
  written(memory: ArrayBuffer, used: number): void {
    this.#unwritten -= used;
    if (memory.byteLength === slabBytes && this.#spare.length < maxSpareSlabs)
      this.#spare.push(Buffer.from(memory));
  }

  /** The receiver is gone, with what was sent to it. */
  reset(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#slab = undefined;
    this.#unwritten = 0;
  }

  #current(): RecordSlab {
    const { clock, sendMs } = this.#deps;
    this.#cancelTimer ??= clock.after(sendMs, () => this.send());
    return (this.#slab ??= new RecordSlab(this.#spare.pop() ?? Buffer.allocUnsafeSlow(slabBytes)));
  }
}
