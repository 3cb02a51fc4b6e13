import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { openingSteps, type OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { ErrorCode } from '@porthole/shared/errors';
import { openFailures } from '@porthole/shared/telemetry/open-failures';
import type { ConsoleKind, ConsoleMode } from '@porthole/shared/grant/claims';
import { createProxmoxMetrics, type ProxmoxMetrics } from '@porthole/shared/proxmox/metrics';
import type { Direction } from './stream/pump.ts';

export type RefusedUpgrade = 'path' | 'protocol' | 'rate' | 'overload' | 'draining';

const directions = ['to_viewer', 'to_machine'] as const satisfies readonly Direction[];

/** Everything that the relay exports. Label values come from closed sets only. */
export interface RelayMetrics {
  sessionStarted(mode: ConsoleMode, kind: ConsoleKind): void;
  sessionEnded(mode: ConsoleMode, kind: ConsoleKind, seconds: number): void;
  opened(result: 'ok' | 'by_viewer' | ErrorCode): void;
  resumed(): void;
  closed(name: CloseName | 'by_viewer'): void;
  bytes(direction: Direction, count: number): void;
  phase(phase: OpeningStep | 'queue' | 'total' | 'picture', seconds: number): void;
  /** How long one side took to answer a ping. */
  ping(side: 'viewer' | 'machine', seconds: number): void;
  stalled(direction: Direction): void;
  /** One more or one less in line, or being opened at a node, in this cluster. */
  waiting(cluster: string, change: number): void;
  opening(cluster: string, change: number): void;
  refused(why: RefusedUpgrade): void;
  readonly proxmox: ProxmoxMetrics;
}

export function createRelayMetrics(
  registry: Registry,
  read: {
    draining(): boolean;
    sockets(): number;
    /** limits.consolesPerRelay */
    readonly socketsLimit: number;
    frames(direction: Direction): number;
    buffered(direction: Direction): number;
    /** The names of all clusters. */
    readonly clusters: readonly string[];
  },
): RelayMetrics {
  const registers = [registry];
  const sessions = new Gauge({
    name: 'porthole_relay_sessions',
    help: 'Consoles that are open now.',
    labelNames: ['mode', 'kind'],
    registers,
  });
  const opens = new Counter({
    name: 'porthole_relay_opens_total',
    help: 'Attempts to open a console, by how they came out: ok, by_viewer (the browser left), or an error code.',
    labelNames: ['result'],
    registers,
  });
  const resumes = new Counter({
    name: 'porthole_relay_resumes_total',
    help: 'Consoles that went on here after their connection was lost or their relay had left.',
    registers,
  });
  const closes = new Counter({
    name: 'porthole_relay_closes_total',
    help: 'Ended WebSockets, by the name of the close code, or by_viewer when the browser left.',
    labelNames: ['close'],
    registers,
  });
  const carried = { to_viewer: 0, to_machine: 0 };
  const bytes = new Counter({
    name: 'porthole_relay_bytes_total',
    help: 'Console bytes carried, by direction.',
    labelNames: ['direction'],
    registers,
    // Counted far too often to look up a label each time.
    collect() {
      for (const direction of directions) {
        this.inc({ direction }, carried[direction]);
        carried[direction] = 0;
      }
    },
  });
  const frames = new Counter({
    name: 'porthole_relay_frames_total',
    help: 'WebSocket frames with console bytes that were sent, by direction.',
    labelNames: ['direction'],
    registers: [],
    // Every link counts its own.
    collect() {
      this.reset();
      for (const direction of directions) this.inc({ direction }, read.frames(direction));
    },
  });
  const buffered = new Gauge({
    name: 'porthole_relay_buffered_bytes',
    help: 'Bytes that wait to be taken by viewers or by Proxmox, all open consoles together.',
    labelNames: ['direction'],
    registers: [],
    collect() {
      for (const direction of directions) this.set({ direction }, read.buffered(direction));
    },
  });
  for (const metric of [frames, buffered]) registry.registerMetric(metric);
  const stalls = new Counter({
    name: 'porthole_relay_stalls_total',
    help: 'How often one side of a console was no longer read because the other one did not keep up.',
    labelNames: ['direction'],
    registers,
  });
  const waiting = new Gauge({
    name: 'porthole_relay_queued_sessions',
    help: 'People in line at this relay, for their machine or a console slot of its node.',
    labelNames: ['cluster'],
    registers,
  });
  const opening = new Gauge({
    name: 'porthole_relay_node_slots',
    help: 'Console slots of nodes that this relay holds: openings at Proxmox that are under way.',
    labelNames: ['cluster'],
    registers,
  });
  const phases = new Histogram({
    name: 'porthole_relay_open_duration_seconds',
    help: "Seconds of each phase of opening a console; total is from the WebSocket to ready, picture to the machine's first pixels.",
    labelNames: ['phase'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60],
    registers,
  });
  const pings = new Histogram({
    name: 'porthole_relay_ping_rtt_seconds',
    help: 'Seconds until viewers and Proxmox answered a ping; a viewer answers behind the pictures that wait for it.',
    labelNames: ['side'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const durations = new Histogram({
    name: 'porthole_relay_session_duration_seconds',
    help: 'Seconds that consoles were open.',
    buckets: [10, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800],
    registers,
  });
  const refusals = new Counter({
    name: 'porthole_relay_upgrades_refused_total',
    help: 'WebSocket upgrades refused with an HTTP status, by why.',
    labelNames: ['reason'],
    registers,
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('porthole_relay_sockets', 'WebSockets of viewers, open or opening.', read.sockets);
  gauge(
    'porthole_relay_sockets_limit',
    'Most WebSockets of viewers that this relay takes (limits.consolesPerRelay).',
    () => read.socketsLimit,
  );
  gauge('porthole_relay_draining', '1 while the relay is leaving.', () => (read.draining() ? 1 : 0));

  // Series exist from the start, so that a rate over the first event is not lost.
  for (const direction of directions) {
    bytes.inc({ direction }, 0);
    stalls.inc({ direction }, 0);
  }
  for (const cluster of read.clusters) {
    waiting.set({ cluster }, 0);
    opening.set({ cluster }, 0);
  }
  for (const side of ['viewer', 'machine']) pings.zero({ side });
  for (const close of [...Object.keys(closeCodes), 'by_viewer']) closes.inc({ close }, 0);
  for (const phase of [...openingSteps, 'queue', 'total', 'picture']) phases.zero({ phase });
  for (const result of ['ok', ...openFailures]) opens.inc({ result }, 0);

  return {
    sessionStarted: (mode, kind) => sessions.inc({ mode, kind }),
    sessionEnded(mode, kind, seconds) {
      sessions.dec({ mode, kind });
      durations.observe(seconds);
    },
    opened: (result) => opens.inc({ result }),
    resumed: () => resumes.inc(),
    closed: (close) => closes.inc({ close }),
    bytes: (direction, count) => void (carried[direction] += count),
    phase: (phase, seconds) => phases.observe({ phase }, seconds),
    ping: (side, seconds) => pings.observe({ side }, seconds),
    stalled: (direction) => stalls.inc({ direction }),
    waiting: (cluster, change) => waiting.inc({ cluster }, change),
    opening: (cluster, change) => opening.inc({ cluster }, change),
    refused: (reason) => refusals.inc({ reason }),
    proxmox: createProxmoxMetrics(registry, 'porthole_relay'),
  };
}
