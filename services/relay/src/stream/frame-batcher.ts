import { headerLength, maxHeaderBytes, opcodes, writeFrameHeader } from './websocket-frame.ts';

/**
 * Collects the bytes for a viewer within one turn of the event loop, and sends them as one frame with one write. The first
 * bytes of a turn are sent at once if they are few.
 *
 * A TLS record has at most 16 KiB, and most updates of a console are much smaller. To send each as it arrives would
 * take a system call each, which costs more than the decryption. The payload is copied once, within the processor's
 * cache, into a slab that all sessions share. So a session that is idle or keeps up holds no memory, and every frame
 * is complete: a ping or a close frame never has to wait for the end of one.
 */
export interface FrameBatcher {
  add(sink: FrameSink, source: Buffer, start: number, end: number): void;
  /** Bytes that are collected for this sink. */
  pendingBytes(sink: FrameSink): number;
  /** Sends what is collected for this sink, because it is about to get something else. */
  flush(sink: FrameSink): void;
}

export interface FrameSink {
  /** Takes a frame. Returns whether its memory is free again; otherwise, the sink owns it from now on. */
  write(frame: Buffer): boolean;
}

/** Largest frame in bytes: fits into the cache, and lets other traffic through on a slow network. */
const slabBytes = 128 * 1024;
/**
 * So few bytes are sent at once, unless the latest frame was for the same sink: most small updates are alone in their turn,
 * and a function to run at its end costs as much as the copy. Larger updates come in several records.
 */
const loneBytes = 4 * 1024;
/** A slab with less free space than this is replaced, and left to the viewers that own the rest of it. */
const minFreeBytes = 32 * 1024;

/** `schedule` runs a function at the end of the current turn of the event loop. */
export function createFrameBatcher(schedule: (fn: () => void) => void = setImmediate): FrameBatcher {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  /** The collected payload. Its header goes right before it. Slow viewers own what lies below. */
  let payloadStart = maxHeaderBytes;
  let payloadEnd = maxHeaderBytes;
  let currentSink: FrameSink | undefined;
  let scheduled = false;

  function flush(): void {
    const length = payloadEnd - payloadStart;
    if (!currentSink || length === 0) return;
    const start = payloadStart - headerLength(length);
    writeFrameHeader(slab, start, opcodes.binary, length, false);
    const end = payloadEnd;
    payloadEnd = payloadStart; // Before the write, which may call back.
    if (!currentSink.write(slab.subarray(start, end))) leaveToSink(end);
  }

  /** The sink has not sent its frame yet, so it owns the slab up to `end`. */
  function leaveToSink(end: number): void {
    if (slabBytes - end >= minFreeBytes) {
      payloadStart = end + maxHeaderBytes;
    } else {
      slab = Buffer.allocUnsafeSlow(slabBytes);
      payloadStart = maxHeaderBytes;
    }
    payloadEnd = payloadStart;
  }

  function endTurn(): void {
    scheduled = false;
    flush();
    currentSink = undefined;
  }

  return {
    add(sink, source, start, end) {
      if (currentSink !== sink) {
        flush();
        currentSink = sink;
        if (end - start <= loneBytes) {
          source.copy(slab, payloadEnd, start, end);
          payloadEnd += end - start;
          flush();
          return;
        }
      }
      if (!scheduled) {
        scheduled = true;
        schedule(endTurn);
      }
      for (let at = start; at < end;) {
        const size = Math.min(end - at, slabBytes - payloadEnd);
        source.copy(slab, payloadEnd, at, at + size);
        at += size;
        payloadEnd += size;
        if (payloadEnd === slabBytes) flush();
      }
    },
    pendingBytes: (sink) => (sink === currentSink ? payloadEnd - payloadStart : 0),
    flush(sink) {
      if (sink === currentSink) flush();
    },
  };
}
