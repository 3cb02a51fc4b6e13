import type { Clock } from '../time/clock.ts';
import { PortholeError, type ErrorCode } from '../errors.ts';
import type { RandomBytes } from '../crypto/random.ts';
import { createCircuitBreaker, type CircuitBreaker, type CircuitState } from './circuit-breaker.ts';
import type { ProxmoxDial } from './dial.ts';

/** A host that is left alone from now on, or that answers again. */
export interface HostStateChange {
  readonly host: string;
  readonly state: 'closed' | 'open';
  readonly error: unknown;
}

export interface CircuitBreakingDial {
  readonly dial: ProxmoxDial;
  /** Of the breaker of `host:port`. */
  stateOf(host: string, port: number): CircuitState;
  /** Of all hosts that were dialled so far. */
  states(): readonly CircuitState[];
}

const hostFaults: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'proxmox_unreachable',
  'proxmox_timeout',
  'proxmox_tls',
]);

/**
 * One breaker for each host, around its connections: that covers REST and WebSocket alike, and a host that answers
 * is not blamed for what it says.
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

  function breakerOf(where: string): CircuitBreaker {
    let breaker = breakers.get(where);
    if (!breaker) {
      breaker = createCircuitBreaker({
        ...deps,
        // Whoever gave up waiting has not seen a host fail.
        isFailure: (error) =>
          error instanceof PortholeError && hostFaults.has(error.code) && !givenUp.has(error),
        createRejection: (lastFault) => {
          const known = lastFault instanceof PortholeError ? lastFault : undefined;
          return new PortholeError(known?.code ?? 'proxmox_unreachable', {
            detail: `${where} is left alone for a moment; last: ${known?.detail ?? 'unknown'}`,
            cause: lastFault,
          });
        },
        onChange: (state, error) => deps.onChange?.({ host: where, state, error }),
      });
      breakers.set(where, breaker);
    }
    return breaker;
  }

  const givenUp = new WeakSet<PortholeError>();
  return {
    dial: (target, signal, onread) =>
      breakerOf(`${target.host}:${target.port}`).run(async () => {
        try {
          return await dial(target, signal, onread);
        } catch (error) {
          if (signal?.aborted && error instanceof PortholeError) givenUp.add(error);
          throw error;
        }
      }),
    stateOf: (host, port) => breakers.get(`${host}:${port}`)?.state() ?? 'closed',
    states: () => [...breakers.values()].map((breaker) => breaker.state()),
  };
}
