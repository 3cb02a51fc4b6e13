import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { openingSteps } from '@porthole/shared/protocol/control-messages';
import type { ErrorCode } from '@porthole/shared/errors';
import { openFailures } from '@porthole/shared/telemetry/open-failures';
import type { ConsoleKind, ConsoleMode } from '@porthole/shared/grant/claims';
import { createParkingMetrics, type ParkingMetrics } from './parking-metrics.ts';
import { createProxmoxMetrics, type ProxmoxMetrics } from '@porthole/shared/proxmox/metrics';
import { createScreenMetrics } from './screen/create-screen-metrics.ts';
import type { ScreenMetrics, ScreenReadings } from './screen/screen-metrics.ts';
import { createSharingDialMetrics, type SharingDialMetrics } from './sharing/sharing-dial-metrics.ts';
import { createSharingMetrics, type SharingMetrics } from './sharing/sharing-metrics.ts';
import { createClassMetrics, type ClassMetrics } from './class-metrics.ts';
import {
  createRecordingMetrics,
  type RecordingMetrics,
  type RecordingReadings,
} from './recording/recording-metrics.ts';
import { createControlMetrics, type ControlMetrics } from './control-metrics.ts';
import type { Direction } from './stream/pump.ts';
import type { RefusedUpgrade } from './viewer/upgrade.ts';
import { createWallMetrics, type WallMetrics } from './wall/wall-metrics.ts';
import { connectionStates, type ConnectionState } from './viewer/viewer-connections.ts';

const directions = ['to_viewer', 'to_machine'] as const satisfies readonly Direction[];
const openPhases = [...openingSteps, 'queue', 'total', 'picture'] as const;

/** Everything that the relay exports. Label values come from closed sets only. */
export interface RelayMetrics extends ClassMetrics, ControlMetrics, ParkingMetrics, RecordingMetrics {
  sessionStarted(mode: ConsoleMode, kind: ConsoleKind): void;
  sessionEnded(mode: ConsoleMode, kind: ConsoleKind, seconds: number): void;
  openFinished(result: 'ok' | 'by_viewer' | ErrorCode): void;
  resumed(): void;
  closed(name: CloseName | 'by_viewer'): void;
  bytes(direction: Direction, count: number): void;
  openPhase(phase: (typeof openPhases)[number], seconds: number): void;
  /** Round-trip time of a ping. */
  ping(side: 'viewer' | 'machine', seconds: number): void;
  stalled(direction: Direction): void;
  inputUnanswered(): void;
  /** One session more or less in the queue of this cluster. */
  queued(cluster: string, change: 1 | -1): void;
  /** One console more or less that is being opened at a node of this cluster. */
  opening(cluster: string, change: 1 | -1): void;
  refused(reason: RefusedUpgrade): void;
  readonly proxmox: ProxmoxMetrics;
  readonly sharing: SharingMetrics;
  readonly sharingDial: SharingDialMetrics;
  readonly screen: ScreenMetrics;
  readonly wall: WallMetrics;
}

/** Values that are read when Prometheus scrapes. */
export interface RelayReadings {
  draining(): boolean;
  connections(state: ConnectionState): number;
  frames(direction: Direction): number;
  buffered(direction: Direction): number;
  screens(): ScreenReadings;
  /** Undefined if this relay does not record. */
  recordings(): RecordingReadings | undefined;
  /** Consoles whose input is held back by the pause of a class. */
  pausedConsoles(): number;
  /** Consoles whose input is held back because another user has control of the machine. */
  heldBackConsoles(): number;
  /** Consoles that show what is shown to a class. */
  followingConsoles(): number;
  /** limits.consolesPerRelay */
  readonly maxSessions: number;
  /** The names of all clusters. */
  readonly clusters: readonly string[];
}

export function createRelayMetrics(registry: Registry, read: RelayReadings): RelayMetrics {
  registerReadings(registry, read);
  const stream = createStreamMetrics(registry);
  return {
    ...createSessionMetrics(registry),
    ...createParkingMetrics(registry),
    ...createOpeningMetrics(registry, read.clusters),
    ...stream,
    ...createClassMetrics(registry),
    ...createControlMetrics(registry),
    ...createRecordingMetrics(registry, read.recordings),
    proxmox: createProxmoxMetrics(registry, 'porthole_relay'),
    sharing: createSharingMetrics(registry),
    sharingDial: createSharingDialMetrics(registry),
    wall: createWallMetrics(registry),
    screen: createScreenMetrics(registry, { ping: stream.ping, readings: read.screens }),
  };
}

function createSessionMetrics(registry: Registry) {
  const registers = [registry];
  const sessions = new Gauge({
    name: 'porthole_relay_sessions',
    help: 'Open consoles, with those that are parked.',
    labelNames: ['mode', 'kind'],
    registers,
  });
  const durations = new Histogram({
    name: 'porthole_relay_session_duration_seconds',
    help: 'Duration of sessions in seconds.',
    buckets: [10, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800],
    registers,
  });
  const closes = new Counter({
    name: 'porthole_relay_closes_total',
    help: 'Closed WebSockets, by the name of the close code; by_viewer if the browser left.',
    labelNames: ['close'],
    registers,
  });
  // Series exist from the start, so that a rate over the first event is not lost.
  for (const close of [...Object.keys(closeCodes), 'by_viewer']) closes.inc({ close }, 0);
  return {
    sessionStarted: (mode, kind) => sessions.inc({ mode, kind }),
    sessionEnded(mode, kind, seconds) {
      sessions.dec({ mode, kind });
      durations.observe(seconds);
    },
    closed: (close) => closes.inc({ close }),
  } satisfies Partial<RelayMetrics>;
}

function createOpeningMetrics(registry: Registry, clusters: readonly string[]) {
  const registers = [registry];
  const opens = new Counter({
    name: 'porthole_relay_opens_total',
    help: 'Attempts to open a console, by result: ok, by_viewer (the browser left), or an error code.',
    labelNames: ['result'],
    registers,
  });
  const resumes = new Counter({
    name: 'porthole_relay_resumes_total',
    help: 'Consoles that resumed at this relay after their connection or their relay was lost.',
    registers,
  });
  const refusals = new Counter({
    name: 'porthole_relay_upgrades_refused_total',
    help: 'WebSocket upgrades refused with an HTTP status, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const queued = new Gauge({
    name: 'porthole_relay_queued_sessions',
    help: 'Sessions in the queue of this relay, for their machine or a console slot of its node.',
    labelNames: ['cluster'],
    registers,
  });
  const opening = new Gauge({
    name: 'porthole_relay_node_slots',
    help: 'Console slots of nodes that this relay holds: consoles that are being opened at Proxmox.',
    labelNames: ['cluster'],
    registers,
  });
  const phases = new Histogram({
    name: 'porthole_relay_open_duration_seconds',
    help: "Duration of each phase of opening a console in seconds; total: from the WebSocket to an open console; picture: to the machine's first pixels.",
    labelNames: ['phase'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60],
    registers,
  });
  for (const cluster of clusters) {
    queued.set({ cluster }, 0);
    opening.set({ cluster }, 0);
  }
  for (const phase of openPhases) phases.zero({ phase });
  for (const result of ['ok', ...openFailures]) opens.inc({ result }, 0);
  return {
    openFinished: (result) => opens.inc({ result }),
    resumed: () => resumes.inc(),
    refused: (reason) => refusals.inc({ reason }),
    queued: (cluster, change) => queued.inc({ cluster }, change),
    opening: (cluster, change) => opening.inc({ cluster }, change),
    openPhase: (phase, seconds) => phases.observe({ phase }, seconds),
  } satisfies Partial<RelayMetrics>;
}

function createStreamMetrics(registry: Registry) {
  const registers = [registry];
  const forwarded = { to_viewer: 0, to_machine: 0 };
  const bytes = new Counter({
    name: 'porthole_relay_bytes_total',
    help: 'Console bytes forwarded, by direction.',
    labelNames: ['direction'],
    registers,
    // Bytes are counted far too often to look up a label each time.
    collect() {
      for (const direction of directions) {
        this.inc({ direction }, forwarded[direction]);
        forwarded[direction] = 0;
      }
    },
  });
  const stalls = new Counter({
    name: 'porthole_relay_stalls_total',
    help: 'Times that one side of a console was paused because the other did not keep up, by direction.',
    labelNames: ['direction'],
    registers,
  });
  const unanswered = new Counter({
    name: 'porthole_relay_terminals_unanswered_total',
    help: 'Times that a terminal wrote nothing for 15 s after Enter or Ctrl+C: its program is busy, or dtach has stopped.',
    registers,
  });
  const pings = new Histogram({
    name: 'porthole_relay_ping_rtt_seconds',
    help: 'Round-trip time of pings to viewers and to Proxmox in seconds; a pong of a viewer waits behind buffered pictures.',
    labelNames: ['side'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  for (const direction of directions) {
    bytes.inc({ direction }, 0);
    stalls.inc({ direction }, 0);
  }
  for (const side of ['viewer', 'machine']) pings.zero({ side });
  return {
    bytes: (direction, count) => void (forwarded[direction] += count),
    stalled: (direction) => stalls.inc({ direction }),
    inputUnanswered: () => unanswered.inc(),
    ping: (side, seconds) => pings.observe({ side }, seconds),
  } satisfies Partial<RelayMetrics>;
}

function registerReadings(registry: Registry, read: RelayReadings): void {
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
  registry.registerMetric(frames);
  const gauges = [
    new Gauge({
      name: 'porthole_relay_buffered_bytes',
      help: 'Bytes buffered for viewers or for Proxmox, over all open consoles.',
      labelNames: ['direction'],
      registers: [],
      collect() {
        for (const direction of directions) this.set({ direction }, read.buffered(direction));
      },
    }),
    new Gauge({
      name: 'porthole_relay_sockets',
      help: 'Connections of viewers by state: upgrading, session, or closing (refused or ended).',
      labelNames: ['state'],
      registers: [],
      collect() {
        for (const state of connectionStates) this.set({ state }, read.connections(state));
      },
    }),
    new Gauge({
      name: 'porthole_relay_sockets_limit',
      help: 'Maximum number of sessions of this relay (limits.consolesPerRelay).',
      registers: [],
      collect() {
        this.set(read.maxSessions);
      },
    }),
    new Gauge({
      name: 'porthole_relay_paused_sessions',
      help: 'Open consoles whose input is held back because their class is paused.',
      registers: [],
      collect() {
        this.set(read.pausedConsoles());
      },
    }),
    new Gauge({
      name: 'porthole_relay_controlled_sessions',
      help: 'Open consoles whose input is held back because another user has taken control of the machine.',
      registers: [],
      collect() {
        this.set(read.heldBackConsoles());
      },
    }),
    new Gauge({
      name: 'porthole_relay_following_sessions',
      help: 'Open consoles in which members see what is shown to their class.',
      registers: [],
      collect() {
        this.set(read.followingConsoles());
      },
    }),
    new Gauge({
      name: 'porthole_relay_draining',
      help: '1 while the relay is draining.',
      registers: [],
      collect() {
        this.set(read.draining() ? 1 : 0);
      },
    }),
  ];
  for (const gauge of gauges) registry.registerMetric(gauge);
}
