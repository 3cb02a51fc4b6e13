import type { Audit } from '@porthole/shared/audit/audit';
import { asPortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { dayPrefix, isRecordingId, startOf } from '@porthole/shared/recording/names';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Clock } from '@porthole/shared/time/clock';
import type { BrokerMetrics } from '../metrics.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { oldestRecording } from './find-recordings.ts';
import { deleteRecordingObjects } from './legal-hold.ts';
import { auditFields } from './recording-request.ts';
import { asRecordingError, type OpenRecordings, type RecordingSource } from './recording-source.ts';
import { readStoredRecording, type StoredRecording } from './stored-recording.ts';

const tickMs = 10_000;
const dayMs = 24 * 3_600_000;
/** From the end of one pass over all recordings to the next. */
const pauseMs = 3_600_000;
/** What one step does at most. */
const limits = { read: 200, deletions: 20, days: 31 } as const;
/** Times that are remembered, so that a pass reads only the indexes of new recordings. */
const maxRemembered = 200_000;

export interface RetentionDeps {
  readonly source: Pick<RecordingSource, 'open'>;
  readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release'>;
  readonly live: Pick<LiveSessions, 'find'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly metrics: Pick<BrokerMetrics, 'recordingDeletion' | 'retentionPass'>;
  readonly audit: Audit;
  /** Tells brokers apart. */
  readonly brokerId: string;
}

/**
 * Deletes recordings whose time is over, in the broker that has the lease. Goes through all recordings from the oldest to
 * the newest in small steps. What is on legal hold, in progress, or without a time in its index, stays.
 */
export function createRetention(deps: RetentionDeps): LifecycleComponent {
  const { clock, leases, brokerId, log, metrics, audit } = deps;
  /** When each recording may be deleted, in milliseconds since the epoch; Infinity: never. */
  const dueAt = new Map<string, number>();
  /** The day that the pass is at. Undefined: it has not begun. */
  let day: number | undefined;
  /** The last recording of that day that was looked at. */
  let after = '';
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let leaderUntil = Number.NEGATIVE_INFINITY;
  let stopping = new AbortController();
  let running: Promise<void> | undefined;
  let cancel = () => {};
  let isFailing = false;

  async function step(signal: AbortSignal): Promise<void> {
    const before = clock.now();
    const leads = await leases.tryAcquire(
      leaseNames.recordingRetention,
      brokerId,
      1,
      lifetimes.recordingRetention,
    );
    leaderUntil = leads ? before + lifetimes.recordingRetention : Number.NEGATIVE_INFINITY;
    if (!leads || before < pausedUntil) return;
    const recordings = deps.source.open();
    if (day === undefined) {
      const oldest = await oldestRecording(recordings, signal);
      if (oldest === undefined) return endPass();
      day = startOf(oldest);
      after = '';
    }
    await goOn(recordings, signal);
  }

  async function goOn(recordings: OpenRecordings, signal: AbortSignal): Promise<void> {
    const left = { read: limits.read, deletions: limits.deletions };
    for (let days = 0; days < limits.days && day !== undefined; days++) {
      if (dayPrefix(day) > dayPrefix(clock.now())) return endPass();
      for await (const id of recordings.storage.listGroups(dayPrefix(day), { signal })) {
        if (!isRecordingId(id) || id <= after) continue;
        if (left.read <= 0 || left.deletions <= 0 || clock.now() >= leaderUntil) return;
        await look(recordings, id, left, signal);
        after = id;
      }
      day += dayMs;
      after = '';
    }
  }

  async function look(
    recordings: OpenRecordings,
    id: string,
    left: { read: number; deletions: number },
    signal: AbortSignal,
  ): Promise<void> {
    const remembered = dueAt.get(id);
    if (remembered !== undefined && remembered > clock.now()) return;
    left.read--;
    const recording = await readStoredRecording(recordings, id, signal);
    if (!recording) return;
    const due = recording.deleting ? Number.NEGATIVE_INFINITY : dueTime(recording);
    if (due > clock.now()) return remember(id, recording.ended ? due : clock.now() + pauseMs);
    if (recording.held && !recording.deleting) return;
    if (!recording.ended && recording.facts && (await deps.live.find(recording.facts.session))) return;
    left.deletions--;
    await remove(recordings, recording);
  }

  async function remove(recordings: OpenRecordings, recording: StoredRecording): Promise<void> {
    const { id } = recording;
    try {
      if (!(await deleteRecordingObjects(recordings, id))) return;
    } catch (error) {
      metrics.recordingDeletion('retention', asPortholeError(asRecordingError(error)).code);
      throw error;
    }
    dueAt.delete(id);
    metrics.recordingDeletion('retention', 'ok');
    audit({ event: 'recording_deleted', ...auditFields(recording) });
  }

  function remember(id: string, due: number): void {
    dueAt.delete(id);
    dueAt.set(id, due);
    const [oldest] = dueAt.keys();
    if (dueAt.size > maxRemembered && oldest !== undefined) dueAt.delete(oldest);
  }

  function endPass(): void {
    day = undefined;
    after = '';
    pausedUntil = clock.now() + pauseMs;
    metrics.retentionPass('ok');
  }

  /** One step at a time. */
  function tick(): void {
    running ??= step(stopping.signal)
      .then(() => (isFailing = false))
      .catch((err: unknown) => {
        if (stopping.signal.aborted) return;
        metrics.retentionPass('failed');
        if (!isFailing) log.warn({ err }, 'recordings whose time is over cannot be deleted');
        isFailing = true;
      })
      .then(() => (running = undefined));
  }

  return {
    name: 'recording retention',
    async start() {
      stopping = new AbortController();
      // An alert finds out that no pass was completed.
      for (const result of ['ok', 'failed'] as const) metrics.retentionPass(result, 0);
      cancel = every(clock, tickMs, tick);
      tick();
    },
    async stop() {
      cancel();
      stopping.abort();
      await running;
      if (clock.now() < leaderUntil)
        await leases.release(leaseNames.recordingRetention, brokerId).catch(() => {});
      leaderUntil = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The longest time of its parts, since it was last written. Infinity: no part says how long it is kept. */
export function dueTime({ parts, lastAt }: Pick<StoredRecording, 'parts' | 'lastAt'>): number {
  const times = parts.map(({ summary }) => summary?.facts.keepSeconds);
  const known = times.filter((seconds) => seconds !== undefined);
  return known.length === 0 || known.length < times.length
    ? Number.POSITIVE_INFINITY
    : lastAt + Math.max(...known) * 1000;
}
