import type { Cancel, Clock } from '@porthole/shared/time/clock';

/**
 * Limits the rate of FramebufferUpdateRequests (RFC 6143 section 7.5.3). The machine draws only what is requested, so
 * this keeps an overview of many consoles cheap. A request above the rate is delayed, not lost: full requests are
 * merged into one, and incremental requests into another.
 */
export interface UpdateRateLimiter {
  /** Returns the request if it may be sent now. Otherwise, it is sent later. */
  request(message: Buffer): Buffer | undefined;
  /** Sends no request any more. */
  stop(): void;
}

export function createUpdateRateLimiter(deps: {
  readonly clock: Clock;
  readonly perSecond: number;
  /** Sends a delayed request. Returns false if no message may begin now. */
  readonly send: (message: Buffer) => boolean;
}): UpdateRateLimiter {
  const { clock, send } = deps;
  const intervalMs = Math.ceil(1000 / deps.perSecond);
  let nextAt = clock.now();
  let full: Buffer | undefined;
  let incremental: Buffer | undefined;
  let cancelTimer: Cancel | undefined;
  let stopped = false;

  function delay(message: Buffer): void {
    if (isIncremental(message)) incremental = merge(incremental, message);
    else full = merge(full, message);
    // A full update of a region includes its changes.
    if (full && incremental && covers(full, incremental)) incremental = undefined;
    schedule();
  }

  function schedule(): void {
    cancelTimer ??= clock.after(Math.max(0, nextAt - clock.now()), () => {
      cancelTimer = undefined;
      const message = full ?? incremental;
      if (message && send(message)) {
        if (full) full = undefined;
        else incremental = undefined;
      }
      nextAt = clock.now() + intervalMs;
      if (full ?? incremental) schedule();
    });
  }

  return {
    request(message) {
      if (stopped) return undefined;
      const now = clock.now();
      if (now >= nextAt && !cancelTimer) {
        nextAt = now + intervalMs;
        return message;
      }
      delay(message);
      return undefined;
    },
    stop() {
      stopped = true;
      cancelTimer?.();
      full = undefined;
      incremental = undefined;
    },
  };
}

function isIncremental(message: Buffer): boolean {
  return message[1] !== 0;
}

interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function regionOf(message: Buffer): Region {
  const [left, top] = [message.readUInt16BE(2), message.readUInt16BE(4)];
  return { left, top, right: left + message.readUInt16BE(6), bottom: top + message.readUInt16BE(8) };
}

function covers(outer: Buffer, inner: Buffer): boolean {
  const [a, b] = [regionOf(outer), regionOf(inner)];
  return a.left <= b.left && a.top <= b.top && a.right >= b.right && a.bottom >= b.bottom;
}

/** One request for the bounding box of both regions. A copy, because the socket reuses the message's memory. */
function merge(delayed: Buffer | undefined, message: Buffer): Buffer {
  const merged = Buffer.from(message);
  if (!delayed) return merged;
  const [a, b] = [regionOf(delayed), regionOf(message)];
  const left = Math.min(a.left, b.left);
  const top = Math.min(a.top, b.top);
  merged.writeUInt16BE(left, 2);
  merged.writeUInt16BE(top, 4);
  merged.writeUInt16BE(Math.min(0xffff, Math.max(a.right, b.right) - left), 6);
  merged.writeUInt16BE(Math.min(0xffff, Math.max(a.bottom, b.bottom) - top), 8);
  return merged;
}
