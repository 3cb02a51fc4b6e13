import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { circuitStates, type CircuitState } from './circuit-breaker.ts';
import { callNames, type CallName } from './call-name.ts';

/** The outcome of one call. */
export interface CallObservation {
  readonly call: CallName;
  /** The HTTP status, or undefined if there was no response. */
  readonly status: number | undefined;
  readonly seconds: number;
  /** The Date header. */
  readonly date?: string | undefined;
}

/** Metrics of a service about its calls to Proxmox. `cluster` is the name of a configured cluster. */
export interface ProxmoxMetrics {
  recordCall(cluster: string, call: CallObservation): void;
  /** Registers a cluster, whose host states are read at each scrape. */
  registerHosts(cluster: string, readStates: () => readonly CircuitState[]): void;
}

/** Seconds. */
const buckets = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15];

/** Statuses that get a label of their own. 595 to 599 mean that an entry point could not reach another node. */
const labelledStatuses = new Set([200, 400, 401, 403, 500, 501, 595, 596, 597, 599]);

/** Definitions of the metrics, with the prefix of the service. */
export function proxmoxMetricDefinitions(prefix: 'porthole_broker' | 'porthole_relay') {
  return {
    proxmoxCalls: {
      name: `${prefix}_proxmox_calls_total`,
      help: 'Calls to the Proxmox API by HTTP status, or none if there was no response.',
      labelNames: ['cluster', 'call', 'status'],
    },
    proxmoxSeconds: {
      name: `${prefix}_proxmox_call_duration_seconds`,
      help: 'Duration of calls to the Proxmox API in seconds.',
      labelNames: ['cluster', 'call'],
    },
    proxmoxHosts: {
      name: `${prefix}_proxmox_hosts`,
      help: 'Dialled Proxmox hosts by circuit breaker state: closed (available), open (skipped), half_open (being probed).',
      labelNames: ['cluster', 'state'],
    },
  } as const;
}

export function createProxmoxMetrics(
  registry: Registry,
  prefix: 'porthole_broker' | 'porthole_relay',
): ProxmoxMetrics {
  const registers = [registry];
  const { proxmoxCalls, proxmoxSeconds, proxmoxHosts } = proxmoxMetricDefinitions(prefix);
  const calls = new Counter({ ...proxmoxCalls, registers });
  const durations = new Histogram({ ...proxmoxSeconds, registers, buckets });
  const readers = new Map<string, () => readonly CircuitState[]>();
  const hosts: Gauge<'cluster' | 'state'> = new Gauge({
    ...proxmoxHosts,
    registers,
    collect() {
      for (const [cluster, readStates] of readers) {
        const states = readStates();
        for (const state of circuitStates)
          hosts.set({ cluster, state }, states.filter((one) => one === state).length);
      }
    },
  });

  return {
    recordCall(cluster, { call, status, seconds }) {
      calls.inc({ cluster, call, status: statusLabel(status) });
      durations.observe({ cluster, call }, seconds);
    },
    registerHosts(cluster, readStates) {
      readers.set(cluster, readStates);
      // Series must exist before the first call, or its increase is missing from rate().
      for (const call of callNames) calls.inc({ cluster, call, status: '200' }, 0);
    },
  };
}

function statusLabel(status: number | undefined): string {
  if (status === undefined) return 'none';
  return labelledStatuses.has(status) ? String(status) : `${Math.floor(status / 100)}xx`;
}
