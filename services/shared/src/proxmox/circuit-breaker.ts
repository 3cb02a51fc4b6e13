import type { Clock } from '../time/clock.ts';
import type { RandomBytes } from '../crypto/random.ts';

/** `half_open`: the pause is over, and one try decides for all. */
export const circuitStates = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof circuitStates)[number];

/**
 * Spares everybody the wait for a host that just did not answer several times. Without it, each of three hundred
 * people who open a console on a dead node waits out a connection timeout of their own.
 */
export interface CircuitBreaker {
  /** Runs the work, or rejects with `refuse()` at once while the host is left alone. */
  run<T>(work: () => Promise<T>): Promise<T>;
  state(): CircuitState;
}

/** One lost connection says nothing yet: hosts restart their proxies, kept connections close. */
const failuresInARow = 3;
/** Short, because people wait for a host that comes back. */
const pauseMs = 5000;

export function createCircuitBreaker(deps: {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Whether this rejection says that the host is away. What it says about anything else counts neither way. */
  readonly isFailure: (error: unknown) => boolean;
  readonly createRejection: (lastFault: unknown) => Error;
  readonly onChange?: (state: 'closed' | 'open', fault: unknown) => void;
}): CircuitBreaker {
  const { clock, random, isFailure: isFault, createRejection: refuse, onChange } = deps;
  let failures = 0;
  let lastFault: unknown;
  /** When the host may be tried again; undefined while it is well. */
  let pausedUntil: number | undefined;
  let probing = false;

  function worked(): void {
    failures = 0;
    lastFault = undefined;
    if (pausedUntil === undefined) return;
    pausedUntil = undefined;
    onChange?.('closed', undefined);
  }

  function failed(error: unknown, probe: boolean): void {
    // Tries from before the pause say nothing new.
    if (pausedUntil !== undefined && !probe) return;
    failures++;
    lastFault = error;
    if (failures < failuresInARow) return;
    const news = pausedUntil === undefined;
    pausedUntil = clock.now() + jittered(pauseMs, random);
    if (news) onChange?.('open', error);
  }

  return {
    async run(work) {
      const probe = pausedUntil !== undefined;
      if (pausedUntil !== undefined) {
        if (probing || clock.now() < pausedUntil) throw refuse(lastFault);
        probing = true;
      }
      try {
        const result = await work();
        worked();
        return result;
      } catch (error) {
        if (isFault(error)) failed(error, probe);
        throw error;
      } finally {
        if (probe) probing = false;
      }
    },
    state() {
      if (pausedUntil === undefined) return 'closed';
      return probing || clock.now() >= pausedUntil ? 'half_open' : 'open';
    },
  };
}

/** Between three and five quarters, so that not all relays come back in the same moment. */
function jittered(ms: number, random: RandomBytes): number {
  return ms * (0.75 + random(1).readUInt8() / 510);
}
