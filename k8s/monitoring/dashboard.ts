import { row, stackedTimeSeries, stat, timeSeries, type Query } from './panels.ts';

/** The series of a metric in the selected namespaces. */
const series = (metric: string, matchers = '') =>
  `${metric}{namespace=~"$namespace"${matchers && `,${matchers}`}}`;
const rate = (metric: string, matchers = '') => `rate(${series(metric, matchers)}[$__rate_interval])`;
const sum = (expr: string) => `sum(${expr})`;
const sumBy = (labels: string, expr: string) => `sum by (${labels}) (${expr})`;

const quantile = (q: number, histogram: string, matchers = ''): Query => ({
  expr: `histogram_quantile(${q}, ${sumBy('le', rate(`${histogram}_bucket`, matchers))})`,
  legend: `p${q * 100}`,
});
const p95By = (label: string, histogram: string): Query => ({
  expr: `histogram_quantile(0.95, ${sumBy(`le, ${label}`, rate(`${histogram}_bucket`))})`,
  legend: `{{${label}}} p95`,
});

/** Excludes the Node.js and process metrics of other programs. */
const ofPortholeProcesses =
  ' and on (namespace, job, pod, instance) (porthole_relay_sockets or porthole_broker_sign_ins_queued)';
const notDraining = (metric: string) =>
  sum(`${series(metric)} unless ${series('porthole_relay_draining')} == 1`);

const overview = [
  stat('Open consoles', 'Consoles that are open now.', 'none', sum(series('porthole_relay_sessions'))),
  stat(
    'Failed opens (1h)',
    'Share of console opens that failed in the last hour. Objective: at most 0.5%.',
    'percentunit',
    series('namespace:porthole_opens_failed:ratio_rate1h'),
    0.005,
  ),
  stat(
    'Slow first pictures (1h)',
    'Share of consoles without a picture after 3 seconds, in the last hour. Objective: at most 5%.',
    'percentunit',
    series('namespace:porthole_first_pictures_slow:ratio_rate1h'),
    0.05,
  ),
  stat(
    'Queued consoles',
    'Consoles that wait for their machine or for a console slot of its node.',
    'none',
    sum(series('porthole_relay_queued_sessions')),
    5,
  ),
  stat(
    'Relay utilization',
    'Open WebSockets as a share of the connection limit, without draining relays.',
    'percentunit',
    `${notDraining('porthole_relay_sockets')} / ${notDraining('porthole_relay_sockets_limit')}`,
    0.85,
  ),
  stat('Draining relays', 'Relays that are draining now.', 'none', sum(series('porthole_relay_draining'))),
];

const consoleOpens = [
  stackedTimeSeries('Opens by result', 'Attempts to open a console at the relays, per second.', 'ops', {
    expr: sumBy('result', rate('porthole_relay_opens_total')),
    legend: '{{result}}',
  }),
  stackedTimeSeries('Grants by result', 'Requests for a console at the brokers, per second.', 'ops', {
    expr: sumBy('result', rate('porthole_broker_grants_total')),
    legend: '{{result}}',
  }),
  timeSeries(
    'Time to first picture',
    "Duration from the browser's WebSocket request to the first pixels of the machine.",
    's',
    quantile(0.5, 'porthole_relay_open_duration_seconds', 'phase="picture"'),
    quantile(0.95, 'porthole_relay_open_duration_seconds', 'phase="picture"'),
    quantile(0.99, 'porthole_relay_open_duration_seconds', 'phase="picture"'),
  ),
  timeSeries(
    'Open duration by phase (p95)',
    'Duration of each phase of opening a console.',
    's',
    p95By('phase', 'porthole_relay_open_duration_seconds'),
  ),
  stackedTimeSeries('Queued consoles by cluster', 'Consoles in the queue.', 'none', {
    expr: sumBy('cluster', series('porthole_relay_queued_sessions')),
    legend: '{{cluster}}',
  }),
  stackedTimeSeries(
    'Console slots in use',
    'Consoles that relays are opening on Proxmox VE nodes now, by cluster.',
    'none',
    { expr: sumBy('cluster', series('porthole_relay_node_slots')), legend: '{{cluster}}' },
  ),
];

const openConsoles = [
  stackedTimeSeries('Open consoles by kind and mode', 'Consoles that are open now.', 'none', {
    expr: sumBy('mode, kind', series('porthole_relay_sessions')),
    legend: '{{kind}} {{mode}}',
  }),
  timeSeries('Console throughput', 'Console bytes that relays forward, per second.', 'Bps', {
    expr: sumBy('direction', rate('porthole_relay_bytes_total')),
    legend: '{{direction}}',
  }),
  timeSeries('WebSocket frames', 'Frames with console bytes that relays send, per second.', 'ops', {
    expr: sumBy('direction', rate('porthole_relay_frames_total')),
    legend: '{{direction}}',
  }),
  stackedTimeSeries('Closed consoles by close code', 'Closed consoles per second.', 'ops', {
    expr: sumBy('close', rate('porthole_relay_closes_total')),
    legend: '{{close}}',
  }),
  timeSeries(
    'Ping round-trip time (p95)',
    'By side. A viewer responds after the screen updates that are queued before the ping.',
    's',
    p95By('side', 'porthole_relay_ping_rtt_seconds'),
  ),
  timeSeries(
    'Buffered bytes and stalls',
    'Bytes that wait to be sent, how often per second a relay stopped reading because the receiver was too slow, and how often a terminal did not answer.',
    'bytes',
    { expr: sumBy('direction', series('porthole_relay_buffered_bytes')), legend: '{{direction}}' },
    { expr: sumBy('direction', rate('porthole_relay_stalls_total')), legend: 'stalls/s {{direction}}' },
    { expr: sum(rate('porthole_relay_terminals_unanswered_total')), legend: 'unanswered terminals/s' },
  ),
  timeSeries(
    'Parked sessions',
    'Sessions whose tab is hidden and whose console at Proxmox is closed meanwhile, and how often per minute a console is closed for that and opened again.',
    'none',
    { expr: sum(series('porthole_relay_parked_sessions')), legend: 'parked' },
    { expr: `60 * ${sum(rate('porthole_relay_parkings_total'))}`, legend: 'parkings/min' },
    { expr: `60 * ${sum(rate('porthole_relay_parking_returns_total'))}`, legend: 'returns/min' },
  ),
  timeSeries(
    'Session duration',
    'How long closed consoles were open.',
    's',
    quantile(0.5, 'porthole_relay_session_duration_seconds'),
    quantile(0.95, 'porthole_relay_session_duration_seconds'),
  ),
];

const recordings = [
  timeSeries('Recorded consoles', 'Open consoles that are recorded.', 'none', {
    expr: sum(series('porthole_relay_recorded_sessions')),
    legend: 'recorded',
  }),
  timeSeries(
    'Begun and lost recordings',
    'How often per minute a recording began, could not begin, or stopped early, and pieces that were lost.',
    'none',
    {
      expr: `60 * ${sumBy('result', rate('porthole_relay_recording_parts_total'))}`,
      legend: '{{result}}/min',
    },
    {
      expr: `60 * ${sum(rate('porthole_relay_recording_pieces_lost_total'))}`,
      legend: 'lost pieces/min',
    },
    {
      expr: `60 * ${sum(rate('porthole_relay_recording_threads_lost_total'))}`,
      legend: 'lost threads/min',
    },
  ),
  timeSeries(
    'Consoles that wait for their recording',
    'Recorded consoles that are not read at a moment, because the thread that records is behind: seconds that they wait, per second.',
    'none',
    { expr: sum(rate('porthole_relay_recording_wait_seconds_total')), legend: 'waiting' },
  ),
  stackedTimeSeries(
    'Relays by state of the storage',
    'ok, failing (the storage takes nothing), or full (neither storage nor spool take more).',
    'none',
    { expr: sumBy('state', series('porthole_relay_recording_state')), legend: '{{state}}' },
  ),
  timeSeries(
    'Fullest spool',
    'Share of its spool that a relay uses for recordings that the storage does not have yet, in memory and on disk.',
    'percentunit',
    {
      expr: `max by (place) (${series('porthole_relay_recording_spool_bytes')} / (${series('porthole_relay_recording_spool_limit_bytes')} > 0))`,
      legend: '{{place}}',
    },
  ),
  timeSeries(
    'Objects that wait for the storage',
    'Chunks and indexes of recordings that are not completely stored yet, by relay.',
    'none',
    { expr: series('porthole_relay_recording_spool_objects'), legend: '{{pod}} {{instance}}' },
  ),
  timeSeries(
    'Retention',
    'Deletions per hour by cause and result, and passes over all recordings per hour: about one is ok, and none should fail.',
    'none',
    {
      expr: `3600 * ${sumBy('cause, result', rate('porthole_broker_recording_deletions_total'))}`,
      legend: 'deletion: {{cause}} {{result}}',
    },
    {
      expr: sumBy('result', `increase(${series('porthole_broker_recording_retention_passes_total')}[1h])`),
      legend: 'pass: {{result}}',
    },
  ),
];

const classes = [
  stackedTimeSeries('Class actions', 'Requests of instructors per second, by action and result.', 'ops', {
    expr: sumBy('action, result', rate('porthole_broker_class_actions_total')),
    legend: '{{action}} {{result}}',
  }),
  stackedTimeSeries(
    'Timetable',
    'Machines that were started before lessons and shut down after them, per minute, by action and result. Brokers that run the timetable: 1.',
    'none',
    {
      expr: `60 * ${sumBy('action, result', rate('porthole_broker_timetable_actions_total'))}`,
      legend: '{{action}} {{result}}/min',
    },
    { expr: sum(series('porthole_broker_timetable_leader')), legend: 'leaders' },
  ),
  timeSeries('Paused consoles', 'Open consoles whose class is paused.', 'none', {
    expr: sum(series('porthole_relay_paused_sessions')),
    legend: 'paused',
  }),
  timeSeries('Shown to classes', 'Consoles in which members see what is shown to their class.', 'none', {
    expr: sum(series('porthole_relay_following_sessions')),
    legend: 'following',
  }),
  timeSeries(
    'Walls',
    'Open walls of classes, and their small pictures per second.',
    'none',
    { expr: sum(series('porthole_relay_walls')), legend: 'walls' },
    { expr: sum(rate('porthole_relay_wall_pictures_total')), legend: 'pictures/s' },
  ),
  timeSeries('Traffic of walls', 'Bytes of small pictures per second.', 'Bps', {
    expr: sum(rate('porthole_relay_wall_picture_bytes_total')),
    legend: 'to pages',
  }),
  timeSeries(
    'Class changes and raised hands',
    'Changes that relays applied to consoles per second, by how they found out: "poll" means that a signal was lost. Hands that were raised or lowered per second.',
    'ops',
    { expr: sumBy('found_by', rate('porthole_relay_class_changes_total')), legend: 'change by {{found_by}}' },
    { expr: sumBy('result', rate('porthole_relay_help_requests_total')), legend: 'hand {{result}}' },
  ),
  timeSeries(
    'Consoles controlled by others',
    'Open consoles whose input is held back because another user has taken control of the machine.',
    'none',
    {
      expr: sum(series('porthole_relay_controlled_sessions')),
      legend: 'held back',
    },
  ),
  timeSeries(
    'Changes of control',
    'Requests to take or hand back control per second, by result. Changes that relays applied, by how they found out: "poll" means that a signal was lost. Users who asked for control back. Changes for which other relays had to confirm that they hold input back.',
    'ops',
    {
      expr: sumBy('action, result', rate('porthole_broker_control_changes_total')),
      legend: '{{action}} {{result}}',
    },
    {
      expr: sumBy('found_by', rate('porthole_relay_control_changes_total')),
      legend: 'change by {{found_by}}',
    },
    {
      expr: sumBy('result', rate('porthole_relay_control_requests_total')),
      legend: 'asked back: {{result}}',
    },
    {
      expr: sumBy('result', rate('porthole_relay_control_handovers_total')),
      legend: 'other relays hold back: {{result}}',
    },
  ),
];

const drainAndResume = [
  stackedTimeSeries(
    'WebSockets by relay',
    'Open WebSockets. During a rolling upgrade, they move from the old relays to the new ones.',
    'none',
    {
      expr: sumBy('pod, instance, state', series('porthole_relay_sockets')),
      legend: '{{pod}} {{instance}} {{state}}',
    },
  ),
  timeSeries(
    'Moved and resumed consoles',
    'Consoles that draining relays closed, and consoles that resumed on another relay, per second.',
    'ops',
    { expr: sum(rate('porthole_relay_closes_total', 'close="moving"')), legend: 'moved' },
    { expr: sum(rate('porthole_relay_resumes_total')), legend: 'resumed' },
  ),
  stackedTimeSeries(
    'Refused upgrades by reason',
    'WebSocket upgrades that relays refused with an HTTP status, per second.',
    'ops',
    { expr: sumBy('reason', rate('porthole_relay_upgrades_refused_total')), legend: '{{reason}}' },
  ),
];

const proxmox = [
  timeSeries(
    'API calls by status',
    'Proxmox VE API calls of relays and brokers, per second. Status "none": no response.',
    'ops',
    { expr: sumBy('status', rate('porthole_relay_proxmox_calls_total')), legend: 'relay {{status}}' },
    { expr: sumBy('status', rate('porthole_broker_proxmox_calls_total')), legend: 'broker {{status}}' },
  ),
  timeSeries(
    'API call duration (p95)',
    'Duration of Proxmox VE API calls.',
    's',
    p95By('call', 'porthole_relay_proxmox_call_duration_seconds'),
    p95By('call', 'porthole_broker_proxmox_call_duration_seconds'),
  ),
  timeSeries(
    'Unavailable API hosts',
    'Hosts in clusters[].urls that did not respond. Porthole skips them until the next retry.',
    'none',
    {
      expr: sumBy('cluster, state', series('porthole_relay_proxmox_hosts', 'state!="closed"')),
      legend: 'relay {{cluster}} {{state}}',
    },
    {
      expr: sumBy('cluster, state', series('porthole_broker_proxmox_hosts', 'state!="closed"')),
      legend: 'broker {{cluster}} {{state}}',
    },
  ),
  timeSeries('Machine list refreshes', 'Refreshes per second, by cluster and result.', 'ops', {
    expr: sumBy('cluster, result', rate('porthole_broker_machine_list_refreshes_total')),
    legend: '{{cluster}} {{result}}',
  }),
  timeSeries(
    'Machine list age',
    'Age of the newest machine list. Brokers refresh it only while users view it.',
    's',
    {
      expr: `min by (cluster) (${series('porthole_broker_machine_list_age_seconds')})`,
      legend: '{{cluster}}',
    },
  ),
  stackedTimeSeries('Power actions', 'Requests per second, by action and result.', 'ops', {
    expr: sumBy('action, result', rate('porthole_broker_power_actions_total')),
    legend: '{{action}} {{result}}',
  }),
];

const brokersAndProcesses = [
  stackedTimeSeries('Sign-ins', 'Sign-in attempts per second, by method and result.', 'ops', {
    expr: sumBy('method, result', rate('porthole_broker_sign_ins_total')),
    legend: '{{method}} {{result}}',
  }),
  timeSeries(
    'HTTP request duration (p95)',
    'Duration of requests to the brokers, by route.',
    's',
    p95By('route', 'porthole_broker_http_request_duration_seconds'),
  ),
  timeSeries('Redis errors', 'Redis calls that failed or timed out, per second.', 'ops', {
    expr: sumBy('pod, instance', rate('porthole_store_errors_total')),
    legend: '{{pod}} {{instance}}',
  }),
  timeSeries(
    'Rosters of learning platforms',
    'Reads of the members of a course per second, by result.',
    'ops',
    {
      expr: sumBy('result', rate('porthole_broker_lti_rosters_total')),
      legend: '{{result}}',
    },
  ),
  timeSeries('Event loop lag (p99)', 'Delay of input and screen updates in each process.', 's', {
    expr: `${series('nodejs_eventloop_lag_p99_seconds')}${ofPortholeProcesses}`,
    legend: '{{pod}} {{instance}}',
  }),
  timeSeries('CPU usage', 'CPU cores in use.', 'short', {
    expr: `${rate('process_cpu_seconds_total')}${ofPortholeProcesses}`,
    legend: '{{pod}} {{instance}}',
  }),
  timeSeries('Memory usage', 'Resident memory.', 'bytes', {
    expr: `${series('process_resident_memory_bytes')}${ofPortholeProcesses}`,
    legend: '{{pod}} {{instance}}',
  }),
  timeSeries(
    'Faults (expected: 0)',
    'Lost audit events, unhandled errors, invalid access rules, and sign-ins that wait for a password check.',
    'none',
    {
      expr: sum(`increase(${series('porthole_audit_events_lost_total')}[$__rate_interval])`),
      legend: 'audit events lost',
    },
    {
      expr: sum(`increase(${series('porthole_unhandled_rejections_total')}[$__rate_interval])`),
      legend: 'unhandled rejections',
    },
    {
      expr: sum(`increase(${series('porthole_uncaught_exceptions_total')}[$__rate_interval])`),
      legend: 'uncaught exceptions',
    },
    { expr: `max(${series('porthole_broker_rules_invalid')})`, legend: 'access rules invalid' },
    { expr: sum(series('porthole_broker_sign_ins_queued')), legend: 'sign-ins queued' },
  ),
  timeSeries('Access rule reloads', 'Reloads of the access rules file, per second.', 'ops', {
    expr: sumBy('result', rate('porthole_broker_rules_reloads_total')),
    legend: '{{result}}',
  }),
  timeSeries(
    'Pod deletion cost controller',
    'Leading brokers (expected: 1), relay pods that the leader watches, seconds since the watch failed, and updates per second.',
    'none',
    { expr: sum(series('porthole_broker_leader')), legend: 'leaders' },
    { expr: `max(${series('porthole_broker_relay_pods')})`, legend: 'relay pods' },
    { expr: `max(${series('porthole_broker_relay_pods_stale_seconds')})`, legend: 'stale seconds' },
    {
      expr: sumBy('result', rate('porthole_broker_pod_deletion_costs_total')),
      legend: 'updates/s {{result}}',
    },
  ),
  timeSeries(
    'HTTP connections',
    'Open HTTP connections of each pod, without consoles, and connections per second that were closed at the limit (limits.httpConnections).',
    'none',
    { expr: series('porthole_http_connections'), legend: '{{pod}} {{instance}}' },
    {
      expr: sumBy('reason', rate('porthole_http_connections_closed_total')),
      legend: 'closed/s {{reason}}',
    },
  ),
];

const sharedScreens = [
  stackedTimeSeries(
    'Open screens by way',
    'Sessions with a console of their own, at a shared screen of their relay, or forwarded to another relay.',
    'none',
    { expr: sumBy('way', series('porthole_relay_screen_sessions')), legend: '{{way}}' },
  ),
  timeSeries(
    'Shared screens',
    'Machines with one console for all viewers, and those viewers.',
    'none',
    { expr: sum(series('porthole_relay_shared_screens')), legend: 'screens' },
    { expr: sum(series('porthole_relay_shared_screen_viewers')), legend: 'viewers' },
    { expr: sum(series('porthole_relay_shared_screen_thumbnails')), legend: 'tiles of walls' },
  ),
  stackedTimeSeries(
    'Consoles taken over, or opened again',
    'Per second, by result. What failed or was impossible cost a second console.',
    'ops',
    {
      expr: sumBy('result', rate('porthole_relay_screen_adoptions_total')),
      legend: 'taken over: {{result}}',
    },
    { expr: sumBy('result', rate('porthole_relay_screen_heals_total')), legend: 'opened again: {{result}}' },
  ),
  timeSeries(
    'Time to share, and to get a console again',
    '95th percentiles.',
    's',
    p95By('way', 'porthole_relay_screen_attach_duration_seconds'),
    { ...quantile(0.95, 'porthole_relay_screen_heal_duration_seconds'), legend: 'without a console p95' },
  ),
  stackedTimeSeries('Consoles that are not shared', 'Per second, by reason.', 'ops', {
    expr: sumBy('reason', rate('porthole_relay_screen_fallbacks_total')),
    legend: '{{reason}}',
  }),
  timeSeries(
    'Work of worker threads',
    'Share of one core, by work, and threads that died.',
    'percentunit',
    { expr: sumBy('work', rate('porthole_relay_screen_work_seconds_total')), legend: '{{work}}' },
    { expr: sum(rate('porthole_relay_screen_workers_lost_total')), legend: 'lost/s' },
  ),
  timeSeries(
    'Memory of pictures',
    'Pixels of all shared screens, four bytes each, and encoded parts of pictures.',
    'bytes',
    { expr: `4 * ${sum(series('porthole_relay_shared_screen_pixels'))}`, legend: 'pictures' },
    { expr: sum(series('porthole_relay_shared_screen_cache_bytes')), legend: 'encoded' },
  ),
  timeSeries(
    'Forwarded viewers',
    'Viewers whose machine has its console at another relay, by direction.',
    'none',
    {
      expr: sumBy('direction', series('porthole_relay_forwarded_viewers')),
      legend: '{{direction}}',
    },
  ),
  stackedTimeSeries(
    'Refused forwards',
    'Viewers that were not forwarded, per second, by direction and error. They open consoles of their own.',
    'ops',
    {
      expr: sumBy('direction, code', rate('porthole_relay_forwards_refused_total')),
      legend: '{{direction}} {{code}}',
    },
  ),
  timeSeries(
    'Owner changes',
    'Consoles that a relay took over from a relay that did not answer, or lost, per second.',
    'ops',
    { expr: sumBy('change', rate('porthole_relay_owner_changes_total')), legend: '{{change}}' },
  ),
  stackedTimeSeries(
    'Refused connections between relays',
    'Connections that internal listeners closed, per second. `handshake`: the peer has no grant key.',
    'ops',
    {
      expr: sumBy('reason', rate('porthole_relay_internal_connections_refused_total')),
      legend: '{{reason}}',
    },
  ),
];

const rows = [
  ['Overview', overview],
  ['Console opens', consoleOpens],
  ['Open consoles', openConsoles],
  ['Classes', classes],
  ['Recordings', recordings],
  ['Drain and resume', drainAndResume],
  ['Shared screens', sharedScreens],
  ['Proxmox VE', proxmox],
  ['Brokers and processes', brokersAndProcesses],
] as const;

/** The dashboard, for Grafana 10 or later. */
export function dashboard(): object {
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
          query: { query: 'label_values(porthole_relay_sockets, namespace)', refId: 'namespaces' },
          refresh: 2,
          includeAll: true,
          // Also matches series without a namespace label, outside of Kubernetes.
          allValue: '.*',
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: rows.flatMap(([title, panels], index) => row(title, index * 100, index * 100 + 1, panels)),
  };
}
