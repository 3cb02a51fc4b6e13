import type { RandomBytes } from '../crypto/random.ts';
import { PortholeError, type ErrorCode } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { createCircuitBreaker, type CircuitBreaker, type CircuitState } from './circuit-breaker.ts';
import type { DialTarget, ProxmoxDial } from './dial.ts';

/** The circuit breaker of a host opened or closed. */
export interface HostStateChange {
  /** `host:port` */
  readonly host: string;
  readonly state: 'closed' | 'open';
  /** The failure that opened it. */
  readonly error: unknown;
}

export interface CircuitBreakingDial {
  readonly dial: ProxmoxDial;
  /** Returns the state of one host: `closed` if it was never dialled. */
  stateOf(target: DialTarget): CircuitState;
  /** Returns the states of all hosts that were dialled. */
  states(): readonly CircuitState[];
  /** Ends all probes. */
  close(): void;
}

const hostFailures: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'proxmox_unreachable',
  'proxmox_timeout',
  'proxmox_tls',
]);

/**
 * Adds one circuit breaker per host to the dial of REST calls and console sockets. Only connections count, not what a
 * host responds. A probe is a connection that is verified like any other, and closed at once.
 */
export function createCircuitBreakingDial(
  dial: ProxmoxDial,
  deps: {
    readonly clock: Clock;
    readonly random: RandomBytes;
    readonly onChange?: ((change: HostStateChange) => void) | undefined;
  },
): CircuitBreakingDial {
  const breakers = new Map<string, CircuitBreaker>();
  /** Errors of attempts that the caller cancelled, which say nothing about the host. */
  const cancelled = new WeakSet<PortholeError>();

  function breakerOf(target: DialTarget): CircuitBreaker {
    const host = keyOf(target);
    let breaker = breakers.get(host);
    if (!breaker) {
      breaker = createCircuitBreaker({
        ...deps,
        async probe(signal) {
          const socket = await dial(target, signal);
          socket.destroy();
        },
        isFailure: (error) =>
          error instanceof PortholeError && hostFailures.has(error.code) && !cancelled.has(error),
        createRejection: (lastFailure) => {
          const last = lastFailure instanceof PortholeError ? lastFailure : undefined;
          return new PortholeError(last?.code ?? 'proxmox_unreachable', {
            detail: `${host}: the circuit breaker is open; last failure: ${last?.detail ?? 'unknown'}`,
            cause: lastFailure,
          });
        },
        onChange: (state, error) => deps.onChange?.({ host, state, error }),
      });
      breakers.set(host, breaker);
    }
    return breaker;
  }

  return {
    dial: (target, signal, onread) =>
      breakerOf(target).run(async () => {
        try {
          return await dial(target, signal, onread);
        } catch (error) {
          if (signal?.aborted && error instanceof PortholeError) cancelled.add(error);
          throw error;
        }
      }, signal),
    stateOf: (target) => breakers.get(keyOf(target))?.state() ?? 'closed',
    states: () => [...breakers.values()].map((breaker) => breaker.state()),
    close() {
      for (const breaker of breakers.values()) breaker.close();
    },
  };
}

function keyOf({ host, port }: DialTarget): string {
  return `${host}:${port}`;
}
