import { Counter, Gauge, type Registry } from 'prom-client';
import type { SpoolState } from './spool.ts';

const results = ['ok', 'unavailable', 'stopped'] as const;
const states = ['ok', 'failing', 'full'] as const satisfies readonly SpoolState[];
const places = ['memory', 'disk'] as const;

/** What the relay exports about recordings. */
export interface RecordingMetrics {
  /**
   * A part began (`ok`), could not begin (`unavailable`), or ended before its console because recordings could not be
   * stored (`stopped`).
   */
  recordingPart(result: (typeof results)[number]): void;
  /** One recorded console more or less. */
  recordedConsoles(change: 1 | -1): void;
  /** Pieces of recordings that could neither be stored nor spooled. */
  recordingPiecesLost(count: number): void;
  /** The thread that records was lost. */
  recordingThreadLost(): void;
  /** A recorded console has waited for the thread that records. */
  recordingWaited(seconds: number): void;
}

export interface RecordingReadings {
  readonly state: SpoolState;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly memoryLimitBytes: number;
  readonly diskLimitBytes: number;
  readonly objects: number;
}

/** `read` answers undefined if this relay does not record. */
export function createRecordingMetrics(
  registry: Registry,
  read: () => RecordingReadings | undefined,
): RecordingMetrics {
  const registers = [registry];
  const parts = new Counter({
    name: 'porthole_relay_recording_parts_total',
    help: 'Parts of recordings, one per connection of a recorded console: ok (begun), unavailable (could not begin), stopped (ended before the console, because it could not be stored).',
    labelNames: ['result'],
    registers,
  });
  const consoles = new Gauge({
    name: 'porthole_relay_recorded_sessions',
    help: 'Open consoles that are recorded.',
    registers,
  });
  const lost = new Counter({
    name: 'porthole_relay_recording_pieces_lost_total',
    help: 'Pieces of recordings that were lost, because they could neither be stored nor spooled.',
    registers,
  });
  const threads = new Counter({
    name: 'porthole_relay_recording_threads_lost_total',
    help: 'Losses of the thread that records. What it had not stored is lost; its consoles open again and their recordings continue.',
    registers,
  });
  const waited = new Counter({
    name: 'porthole_relay_recording_wait_seconds_total',
    help: 'Time for which recorded consoles were not read because the thread that records was behind, summed over consoles.',
    registers,
  });
  for (const result of results) parts.inc({ result }, 0);
  registerReadings(registry, read);
  return {
    recordingPart: (result) => parts.inc({ result }),
    recordedConsoles: (change) => consoles.inc(change),
    recordingPiecesLost: (count) => lost.inc(count),
    recordingThreadLost: () => threads.inc(),
    recordingWaited: (seconds) => waited.inc(seconds),
  };
}

/** Values that are read when Prometheus scrapes. */
function registerReadings(registry: Registry, read: () => RecordingReadings | undefined): void {
  const gauges = [
    new Gauge({
      name: 'porthole_relay_recording_state',
      help: '1 for the state of the storage of recordings: ok, failing (it takes nothing), or full (neither storage nor spool take more).',
      labelNames: ['state'],
      registers: [],
      collect() {
        const now = read();
        if (now) for (const state of states) this.set({ state }, now.state === state ? 1 : 0);
      },
    }),
    new Gauge({
      name: 'porthole_relay_recording_spool_bytes',
      help: 'Size of the recordings that are not stored yet.',
      labelNames: ['place'],
      registers: [],
      collect() {
        const now = read();
        if (now) for (const place of places) this.set({ place }, now[`${place}Bytes`]);
      },
    }),
    new Gauge({
      name: 'porthole_relay_recording_spool_limit_bytes',
      help: 'Maximum size of the recordings that are not stored yet (recordings.spool).',
      labelNames: ['place'],
      registers: [],
      collect() {
        const now = read();
        if (now) for (const place of places) this.set({ place }, now[`${place}LimitBytes`]);
      },
    }),
    new Gauge({
      name: 'porthole_relay_recording_spool_objects',
      help: 'Objects of recordings that are not completely stored yet.',
      registers: [],
      collect() {
        const now = read();
        if (now) this.set(now.objects);
      },
    }),
  ];
  for (const gauge of gauges) registry.registerMetric(gauge);
}
