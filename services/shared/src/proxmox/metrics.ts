import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { circuitStates, type CircuitState } from './circuit-breaker.ts';
import { callNames, type CallName } from './call-name.ts';

/** One answered or failed call, as the client saw it. */
export interface CallObservation {
  readonly call: CallName;
  /** HTTP's, or undefined when there was no answer. */
  readonly status: number | undefined;
  readonly seconds: number;
  /** The clock of Proxmox, as it stands in the header. */
  readonly date?: string | undefined;
}

/** What a service tells of its talks with Proxmox. `cluster` is one of those configured. */
export interface ProxmoxMetrics {
  recordCall(cluster: string, seen: CallObservation): void;
  /** Read when the metrics are. */
  registerHosts(cluster: string, read: () => readonly CircuitState[]): void;
}

const buckets = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15];

/** Proxmox's own statuses; 595 to 599 are AnyEvent's for a node that an entry point could not reach. */
const knownStatuses = new Set([200, 400, 401, 403, 500, 501, 595, 596, 597, 599]);

/** The same for each service, under its own name. */
export function proxmoxMetricDefinitions(prefix: 'porthole_broker' | 'porthole_relay') {
  return {
    proxmoxCalls: {
      name: `${prefix}_proxmox_calls_total`,
      help: "Calls to Proxmox's API by HTTP status, or none when there was no answer.",
      labelNames: ['cluster', 'call', 'status'],
    },
    proxmoxSeconds: {
      name: `${prefix}_proxmox_call_duration_seconds`,
      help: "Seconds that calls to Proxmox's API took.",
      labelNames: ['cluster', 'call'],
    },
    proxmoxHosts: {
      name: `${prefix}_proxmox_hosts`,
      help: 'Hosts of Proxmox that were dialled so far: closed (well), open (left alone for a moment), half_open (tried again).',
      labelNames: ['cluster', 'state'],
    },
  } as const;
}

export function createProxmoxMetrics(
  registry: Registry,
  prefix: 'porthole_broker' | 'porthole_relay',
): ProxmoxMetrics {
  const registers = [registry];
  const { proxmoxCalls: counted, proxmoxSeconds, proxmoxHosts } = proxmoxMetricDefinitions(prefix);
  const calls = new Counter({ ...counted, registers });
  const seconds = new Histogram({ ...proxmoxSeconds, registers, buckets });
  const readers = new Map<string, () => readonly CircuitState[]>();
  const hosts: Gauge<'cluster' | 'state'> = new Gauge({
    ...proxmoxHosts,
    registers,
    collect() {
      for (const [cluster, read] of readers) {
        const states = read();
        for (const state of circuitStates)
          hosts.set({ cluster, state }, states.filter((one) => one === state).length);
      }
    },
  });

  return {
    recordCall(cluster, { call, status, seconds: took }) {
      calls.inc({ cluster, call, status: statusLabel(status) });
      seconds.observe({ cluster, call }, took);
    },
    registerHosts(cluster, read) {
      readers.set(cluster, read);
      // Series exist from the start, so that a rate over the first call is not lost.
      for (const call of callNames) calls.inc({ cluster, call, status: '200' }, 0);
    },
  };
}

function statusLabel(status: number | undefined): string {
  if (status === undefined) return 'none';
  return knownStatuses.has(status) ? String(status) : `${Math.floor(status / 100)}xx`;
}
