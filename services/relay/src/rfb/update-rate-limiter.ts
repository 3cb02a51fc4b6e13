import type { Cancel, Clock } from '@porthole/shared/time/clock';

/**
 * Lets at most so many FramebufferUpdateRequests a second pass (RFC 6143 section 7.5.3). The machine draws only what
 * it is asked for, so this is how a wall of small views stays cheap. What is held back is not lost: requests for all
 * of a region are joined into one, those for changes into another, and each passes as soon as its turn has come.
 */
export interface UpdateRateLimiter {
  /** Takes a request and answers it when it may pass now. */
  request(message: Buffer): Buffer | undefined;
  /** Nothing passes any more. */
  stop(): void;
}

export function createUpdateRateLimiter(deps: {
  readonly clock: Clock;
  readonly perSecond: number;
  /** Sends what was held back. False when no message may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
}): UpdateRateLimiter {
  const { clock, send } = deps;
  const intervalMs = Math.ceil(1000 / deps.perSecond);
  let free = clock.now();
  let whole: Buffer | undefined;
  let changes: Buffer | undefined;
  let cancel: Cancel | undefined;

  function hold(message: Buffer): void {
    if (isIncremental(message)) changes = join(changes, message);
    else whole = join(whole, message);
    // Whoever gets all of a region gets its changes, too.
    if (whole && changes && covers(whole, changes)) changes = undefined;
  }

  function waitForTurn(): void {
    cancel ??= clock.after(Math.max(0, free - clock.now()), () => {
      cancel = undefined;
      const message = whole ?? changes;
      if (message && send(message)) {
        if (whole) whole = undefined;
        else changes = undefined;
      }
      free = clock.now() + intervalMs;
      if (whole ?? changes) waitForTurn();
    });
  }

  return {
    request(message) {
      const now = clock.now();
      if (now >= free && !cancel) {
        free = now + intervalMs;
        return message;
      }
      hold(message);
      waitForTurn();
      return undefined;
    },
    stop() {
      cancel?.();
      // Whatever comes later finds a turn that never ends.
      cancel = () => {};
    },
  };
}

function isIncremental(message: Buffer): boolean {
  return message[1] !== 0;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function boxOf(message: Buffer): Box {
  const [left, top] = [message.readUInt16BE(2), message.readUInt16BE(4)];
  return { left, top, right: left + message.readUInt16BE(6), bottom: top + message.readUInt16BE(8) };
}

function covers(outer: Buffer, inner: Buffer): boolean {
  const [a, b] = [boxOf(outer), boxOf(inner)];
  return a.left <= b.left && a.top <= b.top && a.right >= b.right && a.bottom >= b.bottom;
}

/** One request for both regions: for the box around them. The message's memory is lent, so it is copied. */
function join(held: Buffer | undefined, message: Buffer): Buffer {
  const joined = Buffer.from(message);
  if (!held) return joined;
  const [a, b] = [boxOf(held), boxOf(message)];
  const left = Math.min(a.left, b.left);
  const top = Math.min(a.top, b.top);
  joined.writeUInt16BE(left, 2);
  joined.writeUInt16BE(top, 4);
  joined.writeUInt16BE(Math.min(0xffff, Math.max(a.right, b.right) - left), 6);
  joined.writeUInt16BE(Math.min(0xffff, Math.max(a.bottom, b.bottom) - top), 8);
  return joined;
}
