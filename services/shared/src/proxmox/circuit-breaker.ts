import type { RandomBytes } from '../crypto/random.ts';
import type { Clock } from '../time/clock.ts';

/** `half_open`: the pause is over, and one attempt decides whether the circuit closes. */
export const circuitStates = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof circuitStates)[number];

/**
 * Rejects work at once while a host fails. Without it, each of three hundred users who open a console on a dead node
 * waits for a connection timeout.
 */
export interface CircuitBreaker {
  /** Runs the work. Rejects with `createRejection()` while the circuit is open. */
  run<T>(work: () => Promise<T>): Promise<T>;
  state(): CircuitState;
}

/** One failed connection does not open the circuit: hosts restart their proxies and close kept connections. */
const failuresToOpen = 3;
/** Short, because users wait for a host that comes back. */
const pauseMs = 5000;

export function createCircuitBreaker(deps: {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomBytes;
  /** Whether the error means that the host is unavailable. Other errors count neither as failure nor as success. */
  readonly isFailure: (error: unknown) => boolean;
  readonly createRejection: (lastFailure: unknown) => Error;
  readonly onChange?: (state: 'closed' | 'open', failure: unknown) => void;
}): CircuitBreaker {
  const { clock, random, isFailure, createRejection, onChange } = deps;
  let failures = 0;
  let lastFailure: unknown;
  /** When the next attempt is allowed. Undefined while the circuit is closed. */
  let pausedUntil: number | undefined;
  let probing = false;

  function onSuccess(): void {
    failures = 0;
    lastFailure = undefined;
    if (pausedUntil === undefined) return;
    pausedUntil = undefined;
    onChange?.('closed', undefined);
  }

  function onFailure(error: unknown, isProbe: boolean): void {
    // Attempts that started before the pause do not extend it.
    if (pausedUntil !== undefined && !isProbe) return;
    failures++;
    lastFailure = error;
    if (failures < failuresToOpen) return;
    const wasClosed = pausedUntil === undefined;
    pausedUntil = clock.now() + withJitter(pauseMs, random);
    if (wasClosed) onChange?.('open', error);
  }

  return {
    async run(work) {
      const isProbe = pausedUntil !== undefined;
      if (pausedUntil !== undefined) {
        if (probing || clock.now() < pausedUntil) throw createRejection(lastFailure);
        probing = true;
      }
      try {
        const result = await work();
        onSuccess();
        return result;
      } catch (error) {
        if (isFailure(error)) onFailure(error, isProbe);
        throw error;
      } finally {
        if (isProbe) probing = false;
      }
    },
    state() {
      if (pausedUntil === undefined) return 'closed';
      return probing || clock.now() >= pausedUntil ? 'half_open' : 'open';
    },
  };
}

/** Between three and five quarters of the time, so that relays do not retry at the same moment. */
function withJitter(ms: number, random: RandomBytes): number {
  return ms * (0.75 + random(1).readUInt8() / 510);
}
