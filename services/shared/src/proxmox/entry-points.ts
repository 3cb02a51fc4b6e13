import { PortholeError } from '../errors.ts';
import type { CircuitState } from './circuit-breaker.ts';
import type { DialTarget } from './dial.ts';
import { dialTargetOf, type ProxmoxHost } from './host.ts';
import type { ProxmoxResponse } from './http.ts';
import { isGatewayError } from './parse-response.ts';

/** The configured hosts of a cluster, any of which can serve a call for the whole cluster. */
export interface EntryPoints {
  readonly all: readonly ProxmoxHost[];
  /** The entry point that responded last, or the next one if its circuit breaker is not closed. */
  preferred(): ProxmoxHost;
  /**
   * Sends a call to one entry point after another until one responds: the one that responded last first, and those whose
   * circuit breaker is not closed last, because a call may wait for their probe. Returns or throws the outcome of the
   * last attempt.
   */
  tryEach(
    attempt: (host: ProxmoxHost) => Promise<ProxmoxResponse>,
    signal?: AbortSignal,
  ): Promise<ProxmoxResponse>;
}

export function createEntryPoints(
  urls: readonly URL[],
  stateOf: (target: DialTarget) => CircuitState,
): EntryPoints {
  const all: readonly ProxmoxHost[] = urls.map((base) => ({ base }));
  /** Remembered so that an unavailable entry point costs its timeout once, not at each call. */
  let respondedLast = 0;
  const isAvailable = (host: ProxmoxHost) => stateOf(dialTargetOf(host)) === 'closed';
  const inOrder = () =>
    [...all.slice(respondedLast), ...all.slice(0, respondedLast)].toSorted(
      (one, other) => Number(isAvailable(other)) - Number(isAvailable(one)),
    );

  return {
    all,
    preferred() {
      const [first] = inOrder();
      if (!first) throw new Error('A cluster has at least one entry point.');
      return first;
    },
    async tryEach(attempt, signal) {
      let outcome: (() => ProxmoxResponse) | undefined;
      for (const host of inOrder()) {
        try {
          const response = await attempt(host);
          outcome = () => response;
          if (isGatewayError(response)) continue;
          respondedLast = all.indexOf(host);
          return response;
        } catch (error) {
          if (signal?.aborted || !isHostUnavailable(error)) throw error;
          outcome = () => {
            throw error;
          };
        }
      }
      if (!outcome) throw new Error('A cluster has at least one entry point.');
      return outcome();
    },
  };
}

/** An invalid certificate counts: the host has received no credential, and other hosts can serve the call. */
function isHostUnavailable(error: unknown): boolean {
  return (
    error instanceof PortholeError &&
    (error.code === 'proxmox_unreachable' || error.code === 'proxmox_timeout' || error.code === 'proxmox_tls')
  );
}
