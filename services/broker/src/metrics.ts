import type { ErrorCode } from '@porthole/shared/errors';
import { openFailures } from '@porthole/shared/telemetry/open-failures';
import {
  createProxmoxMetrics,
  proxmoxMetricDefinitions,
  type ProxmoxMetrics,
} from '@porthole/shared/proxmox/metrics';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * All metrics of the broker. Tests check the docs and dashboards against this list. All label values are from closed
 * sets.
 */
export const brokerMetrics = {
  signIns: {
    name: 'porthole_broker_sign_ins_total',
    help: 'Sign-in attempts by method (local, oidc, proxmox, lti) and result: ok, or the error code.',
    labelNames: ['method', 'result'],
  },
  ltiRosters: {
    name: 'porthole_broker_lti_rosters_total',
    help: 'Attempts to read the members of a course from a learning platform by result: ok, or the error code.',
    labelNames: ['result'],
  },
  signInsQueued: {
    name: 'porthole_broker_sign_ins_queued',
    help: 'Sign-ins in the queue for a password check.',
    labelNames: [],
  },
  grants: {
    name: 'porthole_broker_grants_total',
    help: 'Requests for a console by result: ok, or the error code.',
    labelNames: ['result'],
  },
  requests: {
    name: 'porthole_broker_http_request_duration_seconds',
    help: 'Duration of HTTP requests in seconds by route, method, and status class.',
    labelNames: ['route', 'method', 'status'],
  },
  listRefreshes: {
    name: 'porthole_broker_machine_list_refreshes_total',
    help: 'Refreshes of the machine list of a cluster by result: ok, or the error code.',
    labelNames: ['cluster', 'result'],
  },
  powerActions: {
    name: 'porthole_broker_power_actions_total',
    help: 'Requests to start, shut down, reboot, reset, or stop a machine by result: ok (Proxmox started the task), or the error code.',
    labelNames: ['action', 'result'],
  },
  classActions: {
    name: 'porthole_broker_class_actions_total',
    help: 'Requests of instructors for their classes (pause, resume, message, lower, start, end, cancel_end, show, stop_showing, wall, renew_wall) by result: ok, or the error code.',
    labelNames: ['action', 'result'],
  },
  timetableActions: {
    name: 'porthole_broker_timetable_actions_total',
    help: 'Machines that the timetable of a class has started or shut down, by result: ok (Proxmox started the task), or the error code.',
    labelNames: ['action', 'result'],
  },
  timetableLeader: {
    name: 'porthole_broker_timetable_leader',
    help: '1 in the broker that runs the timetable of the classes, 0 in the others.',
    labelNames: [],
  },
  controlChanges: {
    name: 'porthole_broker_control_changes_total',
    help: 'Requests to take control of a machine or to hand it back (take, release) by result: ok, or the error code.',
    labelNames: ['action', 'result'],
  },
  recordingDeletions: {
    name: 'porthole_broker_recording_deletions_total',
    help: 'Deletions of recordings by cause (retention, user) and result: ok, or the error code.',
    labelNames: ['cause', 'result'],
  },
  retentionPasses: {
    name: 'porthole_broker_recording_retention_passes_total',
    help: 'Passes over all recordings, which delete those whose time is over: ok (complete), or failed (interrupted, because the storage or Redis did not answer; continued after ten seconds).',
    labelNames: ['result'],
  },
  rulesReloads: {
    name: 'porthole_broker_rules_reloads_total',
    help: 'Reloads of the rules file by result: ok, or faulty (the previous rules stay in effect).',
    labelNames: ['result'],
  },
  rulesInvalid: {
    name: 'porthole_broker_rules_invalid',
    help: '1 while the rules file is invalid and the previous rules are in effect, otherwise 0.',
    labelNames: [],
  },
  listAge: {
    name: 'porthole_broker_machine_list_age_seconds',
    help: 'Age of the machine list of a cluster in seconds. The list is refreshed only on requests.',
    labelNames: ['cluster'],
  },
  leader: {
    name: 'porthole_broker_leader',
    help: '1 in the broker that manages the relay pods in Kubernetes, 0 in the others.',
    labelNames: [],
  },
  relayPods: {
    name: 'porthole_broker_relay_pods',
    help: 'Relay pods that the leader knows.',
    labelNames: [],
  },
  relayPodsStale: {
    name: 'porthole_broker_relay_pods_stale_seconds',
    help: 'Seconds since the leader lost its watch on the relay pods, or 0.',
    labelNames: [],
  },
  podCosts: {
    name: 'porthole_broker_pod_deletion_costs_total',
    help: 'Writes of pod deletion costs to Kubernetes by result: ok or failed.',
    labelNames: ['result'],
  },
  ...proxmoxMetricDefinitions('porthole_broker'),
} as const satisfies Record<string, { name: string; help: string; labelNames: readonly string[] }>;

/** The values of the label `route`. */
export type Route =
  | 'login'
  | 'logout'
  | 'logins'
  | 'back_channel'
  | 'embed_tokens'
  | 'lti'
  | 'me'
  | 'consoles'
  | 'grants'
  | 'explain'
  | 'sessions'
  | 'classes'
  | 'audit'
  | 'recordings'
  | 'power'
  | 'page'
  | 'asset'
  | 'other';

export type Result = 'ok' | ErrorCode;

/** The age is undefined for a cluster that has never answered. */
type ListAges = readonly (readonly [cluster: string, seconds: number | undefined])[];

export interface BrokerMetrics {
  signIn(method: string, result: Result): void;
  ltiRoster(result: Result): void;
  grant(result: Result): void;
  request(request: { route: Route; method: string; status: number; seconds: number }): void;
  listRefresh(cluster: string, result: Result): void;
  powerAction(action: string, result: Result): void;
  classAction(action: string, result: Result): void;
  timetableAction(action: 'start' | 'shutdown', result: Result): void;
  controlChange(action: 'take' | 'release', result: Result): void;
  recordingDeletion(cause: 'retention' | 'user', result: Result): void;
  retentionPass(result: 'ok' | 'failed', count?: number): void;
  rulesReload(result: 'ok' | 'faulty'): void;
  readonly proxmox: ProxmoxMetrics;
  /** Sets the function that a scrape calls. */
  observeSignInsQueued(read: () => number): void;
  observeListAge(read: () => ListAges): void;
  observeRulesInvalid(read: () => boolean): void;
  observeTimetableLeader(read: () => boolean): void;
  podCosts(result: 'ok' | 'failed', count: number): void;
  /** Sets the function that a scrape calls. Without it the Kubernetes gauges have no values. */
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
  const ltiRosters = new Counter({ ...brokerMetrics.ltiRosters, registers });
  const grants = new Counter({ ...brokerMetrics.grants, registers });
  const listRefreshes = new Counter({ ...brokerMetrics.listRefreshes, registers });
  const requests = new Histogram({
    ...brokerMetrics.requests,
    registers,
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15],
  });
  const powerActions = new Counter({ ...brokerMetrics.powerActions, registers });
  const classActions = new Counter({ ...brokerMetrics.classActions, registers });
  const timetableActions = new Counter({ ...brokerMetrics.timetableActions, registers });
  const controlChanges = new Counter({ ...brokerMetrics.controlChanges, registers });
  const recordingDeletions = new Counter({ ...brokerMetrics.recordingDeletions, registers });
  const retentionPasses = new Counter({ ...brokerMetrics.retentionPasses, registers });
  const rulesReloads = new Counter({ ...brokerMetrics.rulesReloads, registers });
  let signInsQueued = () => 0;
  let rulesInvalid = () => false;
  let timetableLeader = () => false;
  let listAges: () => ListAges = () => [];
  const queued: Gauge = new Gauge({
    ...brokerMetrics.signInsQueued,
    registers,
    collect: () => queued.set(signInsQueued()),
  });
  const invalid: Gauge = new Gauge({
    ...brokerMetrics.rulesInvalid,
    registers,
    collect: () => invalid.set(rulesInvalid() ? 1 : 0),
  });
  const leads: Gauge = new Gauge({
    ...brokerMetrics.timetableLeader,
    registers,
    collect: () => leads.set(timetableLeader() ? 1 : 0),
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
  const kubernetesGauge = (
    metric: { name: string; help: string },
    value: (state: KubernetesState) => number,
  ) => {
    const gauge: Gauge = new Gauge({
      ...metric,
      registers,
      collect: () => kubernetes && gauge.set(value(kubernetes())),
    });
  };
  kubernetesGauge(brokerMetrics.leader, ({ leads }) => (leads ? 1 : 0));
  kubernetesGauge(brokerMetrics.relayPods, ({ relays }) => relays);
  kubernetesGauge(brokerMetrics.relayPodsStale, ({ staleSeconds }) => staleSeconds);
  for (const result of ['ok', ...openFailures]) grants.inc({ result }, 0);

  return {
    signIn: (method, result) => signIns.inc({ method, result }),
    ltiRoster: (result) => ltiRosters.inc({ result }),
    grant: (result) => grants.inc({ result }),
    request: ({ route, method, status, seconds }) =>
      requests.observe(
        { route, method: methods.has(method) ? method : 'other', status: `${Math.floor(status / 100)}xx` },
        seconds,
      ),
    listRefresh: (cluster, result) => listRefreshes.inc({ cluster, result }),
    powerAction: (action, result) => powerActions.inc({ action, result }),
    classAction: (action, result) => classActions.inc({ action, result }),
    timetableAction: (action, result) => timetableActions.inc({ action, result }),
    controlChange: (action, result) => controlChanges.inc({ action, result }),
    recordingDeletion: (cause, result) => recordingDeletions.inc({ cause, result }),
    retentionPass: (result, count = 1) => retentionPasses.inc({ result }, count),
    rulesReload: (result) => rulesReloads.inc({ result }),
    observeRulesInvalid: (read) => (rulesInvalid = read),
    observeTimetableLeader: (read) => (timetableLeader = read),
    proxmox: createProxmoxMetrics(registry, 'porthole_broker'),
    observeSignInsQueued: (read) => (signInsQueued = read),
    observeListAge: (read) => (listAges = read),
    podCosts: (result, count) => podCosts.inc({ result }, count),
    observeKubernetes: (read) => (kubernetes = read),
  };
}
