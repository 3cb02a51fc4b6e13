import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import { withDeadline } from '@porthole/shared/time/with-deadline';
import type { Capture } from '../recording/capture.ts';
import type { Recordings } from '../recording/open-recordings.ts';
import type { PartRecorder, RecordPartOptions } from '../recording/part-recorder.ts';
import type { DialledConsole } from '../upstream/dial.ts';
import { auditFactsOf } from './audit-facts.ts';
import type { SessionLifecycle } from './lifecycle.ts';
import { createObserverRecords } from './observer-records.ts';
import type { SessionReporterDeps } from './session-reporter.ts';

export interface RecordingDeps extends Omit<SessionReporterDeps, 'tracing'> {
  /** Undefined if this relay does not record. */
  readonly recordings: Pick<Recordings, 'record' | 'state'> | undefined;
}

type SendControl = (message: ControlMessage) => void;

/** The recording of one connection of a session. */
export interface SessionRecording {
  /** The id of the recording. */
  readonly id?: string;
  readonly capture?: Capture;
  /** What `opened` says about it. */
  readonly announced: { readonly recorded?: boolean };
  /** The claims with which another connection continues the recording. */
  continuedBy(claims: GrantClaims): GrantClaims;
  /** Returns a function that sends messages about observers, and records them. */
  observing(sendControl: SendControl): SendControl;
  /** The console has ended. Idempotent. */
  end(reason: string): void;
}

export const notRecorded: SessionRecording = {
  announced: {},
  continuedBy: (claims) => claims,
  observing: (sendControl) => sendControl,
  end() {},
};

/** Maximum time until the storage has the first index of a part. */
const beginMs = 10_000;

/** Throws `recording_unavailable` if a console with these claims cannot be recorded here, before it is opened. */
export function checkRecordable(
  { recordings, metrics }: Pick<RecordingDeps, 'recordings' | 'metrics'>,
  { recording }: Pick<GrantClaims, 'recording'>,
): void {
  if (recording?.mode !== 'required' || recordings) return;
  metrics.recordingPart('unavailable');
  throw new PortholeError('recording_unavailable', { detail: 'the configuration has no recordings' });
}

interface RecordedConsole {
  readonly claims: GrantClaims;
  readonly lifecycle: SessionLifecycle;
  readonly sendControl: SendControl;
}

/**
 * Begins to record a console that is open, if its grant says so, for as long as the session lives. Rejects with
 * `recording_unavailable` if that is not possible and the console must be recorded.
 */
export async function beginRecording(
  deps: RecordingDeps,
  { machine }: Pick<DialledConsole, 'machine'>,
  { claims, lifecycle, sendControl }: RecordedConsole,
): Promise<SessionRecording> {
  if (!claims.recording) return notRecorded;
  const session = { claims: { ...claims, node: machine.node }, lifecycle, sendControl };
  const recording = lifecycle.acquire(tryToRecord(deps, session), (one) =>
    one.end(lifecycle.error?.code ?? 'by_viewer'),
  );
  return recording;
}

async function tryToRecord(deps: RecordingDeps, session: RecordedConsole): Promise<SessionRecording> {
  const { claims, lifecycle } = session;
  const { signal } = lifecycle;
  let recording: OpenRecording | undefined;
  let recorder: PartRecorder;
  try {
    recorder = await begin(deps, claims, signal, {
      onFull: () => recording?.stop('the spool is full'),
      onLost: () => recording?.interrupt(),
      onUnreadable: (detail) => recording?.stop(detail),
    });
  } catch (cause) {
    signal.throwIfAborted();
    deps.metrics.recordingPart('unavailable');
    const detail = cause instanceof StorageError ? `${cause.code}: ${cause.detail}` : String(cause);
    if (claims.recording?.mode === 'required')
      throw new PortholeError('recording_unavailable', { detail, cause });
    reportNotRecorded(deps, claims, 'unavailable', detail);
    return { ...notRecorded, announced: { recorded: false } };
  }
  deps.metrics.recordingPart('ok');
  if (claims.recording?.continues) recorder.record({ type: 'mark', name: 'gap', text: '' });
  recording = new OpenRecording(deps, session, recorder);
  return recording;
}

function begin(
  { recordings, clock, relayId }: RecordingDeps,
  claims: GrantClaims,
  signal: AbortSignal,
  events: Required<Pick<RecordPartOptions, 'onFull' | 'onLost' | 'onUnreadable'>>,
): Promise<PartRecorder> {
  const { continues } = claims.recording ?? {};
  if (!recordings) throw new Error('the configuration has no recordings');
  if (recordings.state() === 'full') throw new Error('the spool is full');
  return withDeadline({ clock, signal }, beginMs, 'recording_unavailable', async (beginSignal) => {
    const recorder = await recordings.record({
      recording: continues?.recording,
      ordinal: continues?.ordinal ?? 1,
      facts: factsOf(claims, relayId),
      ...events,
      signal: beginSignal,
    });
    // Too late: its caller has gone on without it.
    if (beginSignal.aborted) recorder.end('not_begun');
    return recorder;
  });
}

class OpenRecording implements SessionRecording {
  readonly id: string;
  readonly capture: Capture;
  readonly announced = { recorded: true };
  readonly #deps: RecordingDeps;
  readonly #session: RecordedConsole;
  readonly #recorder: PartRecorder;
  readonly #ordinal: number;
  #ended = false;

  constructor(deps: RecordingDeps, session: RecordedConsole, recorder: PartRecorder) {
    this.#deps = deps;
    this.#session = session;
    this.#recorder = recorder;
    this.#ordinal = session.claims.recording?.continues?.ordinal ?? 1;
    this.id = recorder.address.recording;
    const { keys = false, clipboard = false } = session.claims.recording ?? {};
    this.capture = { recorder, keys, clipboard };
    deps.metrics.recordedConsoles(1);
  }

  continuedBy(claims: GrantClaims): GrantClaims {
    if (!claims.recording) return claims;
    const continues = { recording: this.id, ordinal: this.#ordinal + 1 };
    return { ...claims, recording: { ...claims.recording, continues } };
  }

  observing(sendControl: SendControl): SendControl {
    const record = createObserverRecords(this.#recorder);
    return (message) => {
      record(message);
      sendControl(message);
    };
  }

  /** The console can be recorded no longer. Ends it if it must be recorded. */
  stop(detail: string): void {
    if (this.#ended) return;
    const { metrics } = this.#deps;
    const { claims, sendControl, lifecycle } = this.#session;
    metrics.recordingPart('stopped');
    if (claims.recording?.mode === 'required') {
      this.end('recording_stopped');
      return lifecycle.end(new PortholeError('recording_stopped', { detail }));
    }
    this.#recorder.record({ type: 'mark', name: 'stopped', text: detail });
    this.end('recording_stopped');
    reportNotRecorded(this.#deps, claims, 'stopped', detail);
    sendControl({ type: 'not_recorded' });
  }

  /** The recorder is lost. The page opens the console again, and another part begins. */
  interrupt(): void {
    if (this.#ended) return;
    this.end('recording_interrupted');
    this.#session.lifecycle.end(new PortholeError('recording_interrupted'));
  }

  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deps.metrics.recordedConsoles(-1);
    this.#recorder.end(reason);
  }
}

function reportNotRecorded(
  { log, audit, relayId }: RecordingDeps,
  claims: GrantClaims,
  reason: 'unavailable' | 'stopped',
  detail: string,
): void {
  log.warn({ session: claims.sessionId, reason, detail }, 'console is open without recording');
  audit({ event: 'console_not_recorded', ...auditFactsOf(claims, relayId), reason });
}

function factsOf(claims: GrantClaims, relay: string): PartFacts {
  const { kind, sessionId, user, cluster, node, vmid, machineName, type, mode, recording } = claims;
  return {
    kind,
    session: sessionId,
    user: user.name,
    ...(user.displayName === undefined ? {} : { displayName: user.displayName }),
    machine: { cluster, node, vmid, name: machineName, type },
    mode,
    ...(recording?.class === undefined ? {} : { class: recording.class }),
    ...(recording ? { rule: recording.rule } : {}),
    ...(recording?.keepSeconds === undefined ? {} : { keepSeconds: recording.keepSeconds }),
    relay,
    keys: recording?.keys === true,
    clipboard: recording?.clipboard === true,
  };
}
