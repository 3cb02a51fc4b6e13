import { areas, lines, row, stat, type Query } from './panels.ts';

const here = 'namespace=~"$namespace"';

/** Every series of a metric in the chosen namespaces, with more matchers if need be. */
const of = (metric: string, matchers = '') => `${metric}{${here}${matchers && `,${matchers}`}}`;
/** Node's own metrics, but only of our processes. */
const ofOurs =
  ' and on (namespace, job, pod, instance) (porthole_relay_sockets or porthole_broker_sign_ins_queued)';
const rate = (metric: string, matchers = '') => `rate(${of(metric, matchers)}[$__rate_interval])`;
const sum = (by: string, inner: string) => (by === '' ? `sum(${inner})` : `sum by (${by}) (${inner})`);

const quantile = (share: number, histogram: string, by: string, matchers = ''): Query => ({
  expr: `histogram_quantile(${share}, ${sum(by === '' ? 'le' : `le, ${by}`, rate(`${histogram}_bucket`, matchers))})`,
  legend: `${by === '' ? '' : `{{${by}}} `}p${share * 100}`,
});

const now = [
  stat('Consoles', 'Open now.', 'none', sum('', of('porthole_relay_sessions'))),
  stat(
    'Opens that failed, 1 h',
    'Of all that people asked for; the goal is 0.5 % at most.',
    'percentunit',
    of('porthole:opens_failed:ratio1h'),
    0.005,
  ),
  stat(
    'Pictures later than 3 s, 1 h',
    'The goal is 5 % at most.',
    'percentunit',
    of('porthole:first_pictures_late:ratio1h'),
    0.05,
  ),
  stat(
    'People in line',
    'For their machine, or for a console slot of its node.',
    'none',
    sum('', of('porthole_relay_queued_sessions')),
    5,
  ),
  stat(
    'Relays filled',
    'WebSockets, of all that the relays take which stay.',
    'percentunit',
    `${sum('', `${of('porthole_relay_sockets')} unless ${of('porthole_relay_draining')} == 1`)} / ${sum('', `${of('porthole_relay_sockets_limit')} unless ${of('porthole_relay_draining')} == 1`)}`,
    0.85,
  ),
  stat('Relays that leave', 'Draining now.', 'none', sum('', of('porthole_relay_draining'))),
];

const opening = [
  areas('Opens by result', 'Attempts per second at the relays.', 'ops', {
    expr: sum('result', rate('porthole_relay_opens_total')),
    legend: '{{result}}',
  }),
  areas('Grants by result', 'What the pages asked the brokers for.', 'ops', {
    expr: sum('result', rate('porthole_broker_grants_total')),
    legend: '{{result}}',
  }),
  lines(
    'Time to the first picture',
    "From the browser's WebSocket to the machine's first pixels.",
    's',
    quantile(0.5, 'porthole_relay_open_duration_seconds', '', 'phase="picture"'),
    quantile(0.95, 'porthole_relay_open_duration_seconds', '', 'phase="picture"'),
    quantile(0.99, 'porthole_relay_open_duration_seconds', '', 'phase="picture"'),
  ),
  lines(
    'Where the time goes',
    'p95 of each phase of opening.',
    's',
    quantile(0.95, 'porthole_relay_open_duration_seconds', 'phase'),
  ),
  areas('People in line', 'By cluster.', 'none', {
    expr: sum('cluster', of('porthole_relay_queued_sessions')),
    legend: '{{cluster}}',
  }),
  areas('Node slots in use', 'Openings at Proxmox that are under way.', 'none', {
    expr: sum('cluster', of('porthole_relay_node_slots')),
    legend: '{{cluster}}',
  }),
];

const carrying = [
  areas('Consoles by mode and kind', 'Open now.', 'none', {
    expr: sum('mode, kind', of('porthole_relay_sessions')),
    legend: '{{kind}} {{mode}}',
  }),
  lines('Console bytes', 'Carried per second.', 'Bps', {
    expr: sum('direction', rate('porthole_relay_bytes_total')),
    legend: '{{direction}}',
  }),
  lines('Frames', 'WebSocket frames with console bytes, per second.', 'ops', {
    expr: sum('direction', rate('porthole_relay_frames_total')),
    legend: '{{direction}}',
  }),
  areas('Closes by code', 'How consoles ended, per second.', 'ops', {
    expr: sum('close', rate('porthole_relay_closes_total')),
    legend: '{{close}}',
  }),
  lines(
    'Answers to pings',
    'p95, by side. A viewer answers behind the pictures that wait for it.',
    's',
    quantile(0.95, 'porthole_relay_ping_rtt_seconds', 'side'),
  ),
  lines(
    'Bytes that wait',
    'For viewers or for Proxmox, and how often a side was held back.',
    'bytes',
    { expr: sum('direction', of('porthole_relay_buffered_bytes')), legend: '{{direction}}' },
    { expr: sum('direction', rate('porthole_relay_stalls_total')), legend: 'stalls/s {{direction}}' },
  ),
  lines(
    'How long consoles were open',
    'Of those that ended.',
    's',
    quantile(0.5, 'porthole_relay_session_duration_seconds', ''),
    quantile(0.95, 'porthole_relay_session_duration_seconds', ''),
  ),
];

const leaving = [
  areas('Consoles by relay', 'An upgrade shows as one giving way to the next.', 'none', {
    expr: sum('pod, instance', of('porthole_relay_sockets')),
    legend: '{{pod}} {{instance}}',
  }),
  lines(
    'Moved and gone on',
    'Consoles that were told to move, and those that went on elsewhere, per second.',
    'ops',
    { expr: sum('', rate('porthole_relay_closes_total', 'close="moving"')), legend: 'told to move' },
    { expr: sum('', rate('porthole_relay_resumes_total')), legend: 'went on' },
  ),
  areas('Upgrades refused', 'WebSockets that were turned away with an HTTP status, per second.', 'ops', {
    expr: sum('reason', rate('porthole_relay_upgrades_refused_total')),
    legend: '{{reason}}',
  }),
];

const proxmox = [
  lines(
    'Calls by status',
    'Per second, of relays and brokers.',
    'ops',
    { expr: sum('status', rate('porthole_relay_proxmox_calls_total')), legend: 'relay {{status}}' },
    { expr: sum('status', rate('porthole_broker_proxmox_calls_total')), legend: 'broker {{status}}' },
  ),
  lines(
    'Seconds of calls',
    'p95 by call.',
    's',
    quantile(0.95, 'porthole_relay_proxmox_call_duration_seconds', 'call'),
    quantile(0.95, 'porthole_broker_proxmox_call_duration_seconds', 'call'),
  ),
  lines(
    'Hosts left alone',
    'Entry nodes that did not answer, and are tried again in a moment.',
    'none',
    {
      expr: sum('cluster, state', of('porthole_relay_proxmox_hosts', 'state!="closed"')),
      legend: 'relay {{cluster}} {{state}}',
    },
    {
      expr: sum('cluster, state', of('porthole_broker_proxmox_hosts', 'state!="closed"')),
      legend: 'broker {{cluster}} {{state}}',
    },
  ),
  lines('Lists of machines', 'Refreshes per second, by result.', 'ops', {
    expr: sum('cluster, result', rate('porthole_broker_machine_list_refreshes_total')),
    legend: '{{cluster}} {{result}}',
  }),
  lines('Age of the lists', 'They are asked for only when somebody looks.', 's', {
    expr: `min by (cluster) (${of('porthole_broker_machine_list_age_seconds')})`,
    legend: '{{cluster}}',
  }),
  areas('Power', 'Requests per second, by action and result.', 'ops', {
    expr: sum('action, result', rate('porthole_broker_power_actions_total')),
    legend: '{{action}} {{result}}',
  }),
];

const inside = [
  areas('Sign-ins', 'Per second, by method and result.', 'ops', {
    expr: sum('method, result', rate('porthole_broker_sign_ins_total')),
    legend: '{{method}} {{result}}',
  }),
  lines(
    'Seconds of HTTP requests',
    'p95 by route.',
    's',
    quantile(0.95, 'porthole_broker_http_request_duration_seconds', 'route'),
  ),
  lines('Redis', 'Calls that failed or were not answered in time, per second.', 'ops', {
    expr: sum('pod, instance', rate('porthole_store_errors_total')),
    legend: '{{pod}} {{instance}}',
  }),
  lines('Event loop', 'p99 of how long it kept others waiting.', 's', {
    expr: `${of('nodejs_eventloop_lag_p99_seconds')}${ofOurs}`,
    legend: '{{pod}} {{instance}}',
  }),
  lines('CPU', 'Cores in use.', 'short', {
    expr: `${rate('process_cpu_seconds_total')}${ofOurs}`,
    legend: '{{pod}} {{instance}}',
  }),
  lines('Memory', 'Resident.', 'bytes', {
    expr: `${of('process_resident_memory_bytes')}${ofOurs}`,
    legend: '{{pod}} {{instance}}',
  }),
  lines(
    'What must stay 0',
    'Lost lines of the audit, faulty rules, passwords that wait to be checked.',
    'none',
    {
      expr: sum('', `increase(${of('porthole_audit_events_lost_total')}[$__rate_interval])`),
      legend: 'audit lost',
    },
    { expr: `max(${of('porthole_broker_rules_invalid')})`, legend: 'rules faulty' },
    { expr: sum('', of('porthole_broker_sign_ins_queued')), legend: 'sign-ins waiting' },
  ),
  lines('Changes of the rules', 'The file of access rules, read again: per second, by result.', 'ops', {
    expr: sum('result', rate('porthole_broker_rules_reloads_total')),
    legend: '{{result}}',
  }),
  lines(
    'Hand in the cluster',
    'Leading broker, the relay pods it follows, and since when it can not.',
    'none',
    { expr: sum('', of('porthole_broker_leader')), legend: 'leaders' },
    { expr: `max(${of('porthole_broker_relay_pods')})`, legend: 'relay pods' },
    { expr: `max(${of('porthole_broker_relay_pods_stale_seconds')})`, legend: 'stale, s' },
    {
      expr: sum('result', rate('porthole_broker_pod_deletion_costs_total')),
      legend: 'deletion costs/s {{result}}',
    },
  ),
];

/** The dashboard of Porthole as Grafana 10 or newer imports it. */
export function dashboard(): object {
  const rows = [
    ['Now', now],
    ['Opening', opening],
    ['Carrying', carrying],
    ['Leaving and moving', leaving],
    ['Proxmox', proxmox],
    ['Inside', inside],
  ] as const;
  return {
    uid: 'porthole',
    title: 'Porthole',
    tags: ['porthole'],
    editable: true,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    timezone: 'browser',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
        {
          name: 'namespace',
          label: 'Namespace',
          type: 'query',
          datasource: { type: 'prometheus', uid: '${datasource}' },
          // With .* in All, a Prometheus without namespaces shows everything too.
          query: { query: 'label_values(porthole_relay_sockets, namespace)', refId: 'namespaces' },
          refresh: 2,
          includeAll: true,
          allValue: '.*',
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: rows.flatMap(([title, panels], index) => row(title, index * 100, index * 100 + 1, panels)),
  };
}
