import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { sleep, type Clock } from '@porthole/shared/time/clock';

const firstDelayMs = 500;
const maxDelayMs = 5000;

/** Errors that another attempt does not change. */
const finalErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'machine_not_found',
  'no_display',
  'terminal_only',
  'proxmox_permission',
  'proxmox_tls',
]);

/** Milliseconds before an attempt; 0 is the first. */
export function healDelay(attempt: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
}

/**
 * Opens the console of a screen again until that succeeds. A stopped machine is waited for, too, because it may be
 * restarted. Rejects with the error with which the viewers end, if it is final or the time is over, or with the signal's
 * reason.
 */
export async function healScreen(deps: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly lost: PortholeError | undefined;
  /** When to give up, in milliseconds since the epoch. */
  readonly until: number;
  /** Attempts since the screen was last live for a while. A console that breaks at once is not opened at once again. */
  readonly attempts: number;
  /** Finds the machine, opens a console and waits for its picture. */
  readonly reconnect: () => Promise<void>;
  readonly onAttempt: () => void;
}): Promise<void> {
  const { clock, signal, until, reconnect, onAttempt } = deps;
  let last = deps.lost ?? new PortholeError('console_lost');
  for (let attempt = deps.attempts; clock.now() + healDelay(attempt) < until; attempt++) {
    await sleep(clock, healDelay(attempt), signal);
    onAttempt();
    try {
      return await reconnect();
    } catch (thrown) {
      signal.throwIfAborted();
      last = asPortholeError(thrown);
      if (finalErrors.has(last.code)) throw last;
    }
  }
  throw endOf(last);
}

/** The error with which a console ends today for the same reason. */
function endOf(error: PortholeError): PortholeError {
  if (error.code === 'machine_stopped') return new PortholeError('machine_ended');
  return new PortholeError('console_lost', { detail: `not opened again: ${error.code}`, cause: error });
}
