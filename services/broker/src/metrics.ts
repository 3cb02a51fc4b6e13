import type { ErrorCode } from '@porthole/shared/errors';
import { openFailures } from '@porthole/shared/telemetry/open-failures';
import {
  createProxmoxMetrics,
  proxmoxMetricsOf,
  type ProxmoxMetrics,
} from '@porthole/shared/proxmox/metrics';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Route } from './http/context.ts';

/** Every metric of the broker. docs and dashboards are checked against this list. Labels take values from closed sets only. */
export const brokerMetrics = {
  signIns: {
    name: 'porthole_broker_sign_ins_total',
    help: 'Sign-in attempts by method (local, oidc, proxmox) and result: ok, or the code of the error.',
    labelNames: ['method', 'result'],
  },
  signInsQueued: {
    name: 'porthole_broker_sign_ins_queued',
    help: 'Sign-ins that wait for their password to be checked.',
    labelNames: [],
  },
  grants: {
    name: 'porthole_broker_grants_total',
    help: 'Requests for a console by result: ok, or the code of the error.',
    labelNames: ['result'],
  },
  requests: {
    name: 'porthole_broker_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route, method and class of status.',
    labelNames: ['route', 'method', 'status'],
  },
  listRefreshes: {
    name: 'porthole_broker_machine_list_refreshes_total',
    help: "Refreshes of a cluster's list of machines by result: ok, or the code of the error.",
    labelNames: ['cluster', 'result'],
  },
  powerActions: {
    name: 'porthole_broker_power_actions_total',
    help: 'Requests to start, shut down, reboot, reset or stop a machine by result: ok (Proxmox began), or the code of the error.',
    labelNames: ['action', 'result'],
  },
  rulesReloads: {
    name: 'porthole_broker_rules_reloads_total',
    help: 'Changes of the rules file by result: ok, or faulty (the rules from before stay in force).',
    labelNames: ['result'],
  },
  rulesInvalid: {
    name: 'porthole_broker_rules_invalid',
    help: '1 while the rules file is faulty and older rules are in force.',
    labelNames: [],
  },
  listAge: {
    name: 'porthole_broker_machine_list_age_seconds',
    help: 'Seconds since the cluster last answered with its list of machines; it is asked only when somebody looks.',
    labelNames: ['cluster'],
  },
  leader: {
    name: 'porthole_broker_leader',
    help: '1 in the broker that acts for all of them at Kubernetes, 0 in the others.',
    labelNames: [],
  },
  relayPods: {
    name: 'porthole_broker_relay_pods',
    help: "The relays' pods that the leader knows of.",
    labelNames: [],
  },
  relayPodsStale: {
    name: 'porthole_broker_relay_pods_stale_seconds',
    help: "Seconds for which the leader could not follow the relays' pods; 0 while it can.",
    labelNames: [],
  },
  podCosts: {
    name: 'porthole_broker_pod_deletion_costs_total',
    help: 'Deletion costs of relays that were to be written to Kubernetes, by result.',
    labelNames: ['result'],
  },
  ...proxmoxMetricsOf('porthole_broker'),
} as const satisfies Record<string, { name: string; help: string; labelNames: readonly string[] }>;

export type Result = 'ok' | ErrorCode;

/** Undefined for a cluster that never answered. */
type ListAges = readonly (readonly [cluster: string, seconds: number | undefined])[];

export interface BrokerMetrics {
  signIn(method: string, result: Result): void;
  grant(result: Result): void;
  request(seen: { route: Route; method: string; status: number; seconds: number }): void;
  listRefresh(cluster: string, result: Result): void;
  powerAction(action: string, result: Result): void;
  rulesReload(result: 'ok' | 'faulty'): void;
  readonly proxmox: ProxmoxMetrics;
  /** Read when the metrics are. */
  observeSignInsQueued(read: () => number): void;
  observeListAge(read: () => ListAges): void;
  observeRulesInvalid(read: () => boolean): void;
  podCosts(result: 'ok' | 'failed', count: number): void;
  /** Read when the metrics are. Only where Kubernetes is asked anything. */
  observeKubernetes(read: () => KubernetesState): void;
}

export interface KubernetesState {
  readonly leads: boolean;
  readonly relays: number;
  readonly staleSeconds: number;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

export function createBrokerMetrics(registry: Registry): BrokerMetrics {
  const registers = [registry];
  const signIns = new Counter({ ...brokerMetrics.signIns, registers });
  const grants = new Counter({ ...brokerMetrics.grants, registers });
  const listRefreshes = new Counter({ ...brokerMetrics.listRefreshes, registers });
  const requests = new Histogram({
    ...brokerMetrics.requests,
    registers,
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15],
  });
  const powers = new Counter({ ...brokerMetrics.powerActions, registers });
  const rulesReads = new Counter({ ...brokerMetrics.rulesReloads, registers });
  let signInsWaiting = () => 0;
  let rulesFaulty = () => false;
  let listAges: () => ListAges = () => [];
  const waiting: Gauge = new Gauge({
    ...brokerMetrics.signInsQueued,
    registers,
    collect: () => waiting.set(signInsWaiting()),
  });
  const faulty: Gauge = new Gauge({
    ...brokerMetrics.rulesInvalid,
    registers,
    collect: () => faulty.set(rulesFaulty() ? 1 : 0),
  });
  const ages: Gauge<'cluster'> = new Gauge({
    ...brokerMetrics.listAge,
    registers,
    collect() {
      for (const [cluster, seconds] of listAges()) if (seconds !== undefined) ages.set({ cluster }, seconds);
    },
  });

  const podCosts = new Counter({ ...brokerMetrics.podCosts, registers });
  let kubernetes: (() => KubernetesState) | undefined;
  const gauge = (about: { name: string; help: string }, value: (state: KubernetesState) => number) => {
    const made: Gauge = new Gauge({
      ...about,
      registers,
      collect: () => kubernetes && made.set(value(kubernetes())),
    });
  };
  gauge(brokerMetrics.leader, ({ leads }) => (leads ? 1 : 0));
  gauge(brokerMetrics.relayPods, ({ relays }) => relays);
  gauge(brokerMetrics.relayPodsStale, ({ staleSeconds }) => staleSeconds);
  for (const result of ['ok', ...openFailures]) grants.inc({ result }, 0);

  return {
    signIn: (method, result) => signIns.inc({ method, result }),
    grant: (result) => grants.inc({ result }),
    request: ({ route, method, status, seconds }) =>
      requests.observe(
        { route, method: methods.has(method) ? method : 'other', status: `${Math.floor(status / 100)}xx` },
        seconds,
      ),
    listRefresh: (cluster, result) => listRefreshes.inc({ cluster, result }),
    powerAction: (action, result) => powers.inc({ action, result }),
    rulesReload: (result) => rulesReads.inc({ result }),
    observeRulesInvalid: (read) => (rulesFaulty = read),
    proxmox: createProxmoxMetrics(registry, 'porthole_broker'),
    observeSignInsQueued: (read) => (signInsWaiting = read),
    observeListAge: (read) => (listAges = read),
    podCosts: (result, count) => podCosts.inc({ result }, count),
    observeKubernetes: (read) => (kubernetes = read),
  };
}
