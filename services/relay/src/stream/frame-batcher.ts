import { headerBytes, maxHeaderBytes, opcodes, writeHeader } from './websocket-frame.ts';

/**
 * Collects what goes to one viewer within one turn of the event loop and sends it as one frame with one write.
 *
 * A TLS record brings 16 KiB at most, and a console's small updates far less; to pass each on by itself would
 * mean a system call for each, which costs more than to decrypt it. The payload is copied once, within the
 * processor's cache, into one slab that all sessions share, so a session that is idle, or keeps up, holds no
 * memory at all, and every frame is ours and whole: a ping or a close never has to wait for a border.
 */
export interface FrameBatcher {
  add(sink: FrameSink, source: Buffer, start: number, end: number): void;
  /** Bytes that wait here for this sink. */
  pendingBytes(sink: FrameSink): number;
  /** Whatever waits for this sink goes now: something else is about to be sent to it. */
  flush(sink: FrameSink): void;
}

export interface FrameSink {
  /** Takes a frame. Answers whether its memory is free again; otherwise it is the sink's from now on. */
  write(frame: Buffer): boolean;
}

/** Largest frame. Small enough to stay in the cache, and to spread well over a slow network. */
const slabBytes = 128 * 1024;
/** A slab with less room than this left is given up to the viewers that hold the rest of it. */
const leastBytes = 32 * 1024;

export function createFrameBatcher(later: (fn: () => void) => void = setImmediate): FrameBatcher {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  /** Payload lies between; its header goes right in front of it. What is below belongs to slow viewers. */
  let from = maxHeaderBytes;
  let to = maxHeaderBytes;
  let owner: FrameSink | undefined;
  let scheduled = false;

  function flush(): void {
    const length = to - from;
    if (!owner || length === 0) return;
    const start = from - headerBytes(length);
    writeHeader(slab, start, opcodes.binary, length, false);
    const end = to;
    to = from; // before the write: whatever it sets off finds nothing waiting
    if (!owner.write(slab.subarray(start, end))) keepBelow(end);
  }

  /** A viewer has not taken everything: what lies below is its own until it has. */
  function keepBelow(end: number): void {
    if (slabBytes - end >= leastBytes) {
      from = end + maxHeaderBytes;
    } else {
      slab = Buffer.allocUnsafeSlow(slabBytes);
      from = maxHeaderBytes;
    }
    to = from;
  }

  function turnOver(): void {
    scheduled = false;
    flush();
    owner = undefined;
  }

  return {
    add(sink, source, start, end) {
      if (owner !== sink) {
        flush();
        owner = sink;
      }
      if (!scheduled) {
        scheduled = true;
        later(turnOver);
      }
      for (let at = start; at < end;) {
        const size = Math.min(end - at, slabBytes - to);
        source.copy(slab, to, at, at + size);
        at += size;
        to += size;
        if (to === slabBytes) flush();
      }
    },
    pendingBytes: (sink) => (sink === owner ? to - from : 0),
    flush(sink) {
      if (sink === owner) flush();
    },
  };
}
