import type { RandomBytes } from '../crypto/random.ts';
import type { Clock } from '../time/clock.ts';
import { onAbort } from '../time/on-abort.ts';

/** `half_open`: a probe runs, and decides whether the circuit closes. */
export const circuitStates = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof circuitStates)[number];

/**
 * Rejects work at once while a host fails, and probes the host in the background until it responds. Without it, each of
 * three hundred users who open a console on a dead node waits for a connection timeout.
 */
export interface CircuitBreaker {
  /**
   * Runs the work. While the circuit is open, rejects with `createRejection()`: at once between two probes, else after
   * the probe, which is awaited until the signal is aborted.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  state(): CircuitState;
  /** Ends the probes. An open circuit stays open. */
  close(): void;
}

/** One failed connection does not open the circuit: hosts restart their proxies and close kept connections. */
const failuresToOpen = 3;
/** The pause before the first probe, which doubles after each failed probe. */
const firstPauseMs = 1000;
/** Short, because users wait for a host that comes back. */
const maxPauseMs = 5000;
/** A host for which there was no work for so long is probed at the next work only: a removed node is not probed forever. */
const idleMs = 10 * 60_000;

export interface CircuitBreakerDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Connects to the host, and rejects if it is unavailable or the signal is aborted. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** Whether the error means that the host is unavailable. Other errors count neither as failure nor as success. */
  readonly isFailure: (error: unknown) => boolean;
  readonly createRejection: (lastFailure: unknown) => Error;
  readonly onChange?: (state: 'closed' | 'open', failure: unknown) => void;
}

export function createCircuitBreaker(deps: CircuitBreakerDeps): CircuitBreaker {
  const { clock, createRejection, isFailure } = deps;
  let isOpen = false;
  let failures = 0;
  let lastFailure: unknown;
  let lastRunAt = clock.now();
  const prober = createProber(deps, {
    isNeeded: () => clock.now() - lastRunAt < idleMs,
    onSuccess,
    onFailure(error) {
      lastFailure = error;
    },
  });

  function onSuccess(): void {
    failures = 0;
    lastFailure = undefined;
    if (!isOpen) return;
    isOpen = false;
    prober.stop();
    deps.onChange?.('closed', undefined);
  }

  function onFailure(error: unknown): void {
    // Attempts that started before the circuit opened do not count.
    if (isOpen) return;
    failures++;
    lastFailure = error;
    if (failures < failuresToOpen) return;
    isOpen = true;
    prober.start();
    deps.onChange?.('open', error);
  }

  return {
    async run(work, signal) {
      lastRunAt = clock.now();
      if (isOpen) await prober.settled(signal);
      if (isOpen) throw createRejection(lastFailure);
      try {
        const result = await work();
        onSuccess();
        return result;
      } catch (error) {
        if (isFailure(error)) onFailure(error);
        throw error;
      }
    },
    state() {
      if (!isOpen) return 'closed';
      return prober.isProbing() ? 'half_open' : 'open';
    },
    close: () => prober.close(),
  };
}

/** Probes a host until a probe succeeds, with one probe at a time and a pause before each. */
function createProber(
  { clock, random, probe }: Pick<CircuitBreakerDeps, 'clock' | 'random' | 'probe'>,
  on: {
    /** Whether a probe is due after a pause. If not, probes rest until `settled` is called. */
    readonly isNeeded: () => boolean;
    readonly onSuccess: () => void;
    readonly onFailure: (error: unknown) => void;
  },
) {
  let closed = false;
  let pauseMs = firstPauseMs;
  let cancelPause: (() => void) | undefined;
  let current: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  function pause(): void {
    if (closed) return;
    const ms = withJitter(pauseMs, random);
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    cancelPause = clock.after(ms, () => {
      cancelPause = undefined;
      if (on.isNeeded()) run();
    });
  }

  function run(): void {
    const abort = new AbortController();
    const isCurrent = () => current?.abort === abort;
    const done = probe(abort.signal).then(
      () => {
        if (isCurrent()) on.onSuccess();
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        current = undefined;
        on.onFailure(error);
        pause();
      },
    );
    current = { abort, done };
  }

  function stop(): void {
    cancelPause?.();
    cancelPause = undefined;
    current?.abort.abort();
    current = undefined;
  }

  return {
    start() {
      pauseMs = firstPauseMs;
      pause();
    },
    stop,
    /** Resolves after the probe that runs or that has rested, or when the signal is aborted. At once during a pause. */
    async settled(signal?: AbortSignal): Promise<void> {
      if (closed || cancelPause) return;
      if (!current) run();
      const { promise: aborted, resolve } = Promise.withResolvers<void>();
      const removeListener = onAbort(signal, () => resolve());
      await Promise.race([current?.done, aborted]).finally(removeListener);
    },
    isProbing: () => current !== undefined,
    close() {
      closed = true;
      stop();
    },
  };
}

/** Between three and five quarters of the time, so that relays do not retry at the same moment. */
function withJitter(ms: number, random: RandomBytes): number {
  return ms * (0.75 + random(1).readUInt8() / 510);
}
