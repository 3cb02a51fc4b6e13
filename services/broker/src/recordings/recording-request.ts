import type { Audit } from '@porthole/shared/audit/audit';
import { PortholeError } from '@porthole/shared/errors';
import { isRecordingId } from '@porthole/shared/recording/names';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access } from '../access/decide.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import { recordingPermissionsFor, type RecordingPermissions } from './recording-permissions.ts';
import type { RecentRecordings } from './recent-recordings.ts';
import { asRecordingError, type OpenRecordings, type RecordingSource } from './recording-source.ts';
import { readStoredRecording, type StoredRecording } from './stored-recording.ts';
import type { WatchedRecordings } from './watched-recordings.ts';

export interface RecordingRouteDeps {
  readonly source: Pick<RecordingSource, 'open'>;
  readonly requireLogin: RequireLogin;
  readonly access: () => Access;
  readonly directory: Pick<MachineDirectory, 'list'>;
  readonly live: Pick<LiveSessions, 'list' | 'find'>;
  readonly rateLimits: RateLimits;
  readonly audit: Audit;
  readonly metrics: Pick<BrokerMetrics, 'recordingDeletion'>;
  readonly clock: Clock;
  readonly watched: WatchedRecordings;
  readonly recent: RecentRecordings;
}

/** Requests of one user. The player reads a chunk per request, and seeking in a long recording reads hundreds. */
const perMinute = { search: 120, chunk: 6000, change: 120 } as const;

export interface RecordingRequest {
  readonly user: User;
  readonly permissions: RecordingPermissions;
  readonly recordings: OpenRecordings;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** A route of recordings: signs in, limits, checks whether the user may see any recordings, and translates errors. */
export function recordingRoute(
  deps: RecordingRouteDeps,
  kind: keyof typeof perMinute,
  answer: (ctx: Context, request: RecordingRequest) => Promise<void>,
): Step {
  return async (ctx) => {
    ctx.state.route = 'recordings';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`recordings/${kind}/user/${user.id}`, perMinute[kind], 60);
    const permissions = await recordingPermissionsFor(deps, user);
    if (!permissions) throw new PortholeError('not_allowed', { detail: 'recordings' });
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    try {
      await answer(ctx, { user, permissions, recordings: deps.source.open(), signal: gone.signal });
    } catch (error) {
      throw asRecordingError(error);
    }
  };
}

/** The recording in the path. Throws `not_found` if there is none, and likewise if the user may not see it. */
export async function requireRecording(
  ctx: Context,
  { permissions, recordings, signal }: RecordingRequest,
): Promise<StoredRecording> {
  const { id = '' } = pathParameters(ctx);
  const recording = isRecordingId(id) ? await readStoredRecording(recordings, id, signal) : undefined;
  if (!recording || recording.deleting || !permissions.maySee(recording))
    throw new PortholeError('not_found', { detail: 'no such recording' });
  return recording;
}

/** As above, with what was read of the recording a moment ago. */
export async function requireRecentRecording(
  ctx: Context,
  { recent }: Pick<RecordingRouteDeps, 'recent'>,
  { permissions, recordings, signal }: RecordingRequest,
): Promise<StoredRecording> {
  const { id = '' } = pathParameters(ctx);
  const recording = isRecordingId(id)
    ? await recent.read(id, () => readStoredRecording(recordings, id, signal))
    : undefined;
  if (!recording || recording.deleting || !permissions.maySee(recording))
    throw new PortholeError('not_found', { detail: 'no such recording' });
  return recording;
}

/** Whether a session is open, for states. */
export async function liveness({
  live,
}: Pick<RecordingRouteDeps, 'live'>): Promise<(session: string) => boolean> {
  const sessions = new Set((await live.list()).map(({ sessionId }) => sessionId));
  return (session) => sessions.has(session);
}

/** The fields of an audit event about a recording. */
export function auditFields({ id, facts }: Pick<StoredRecording, 'id' | 'facts'>) {
  return { recording: id, ...(facts ? { user: facts.user, machine: facts.machine } : {}) };
}

export function requestFields(ctx: Context, { id, name }: User) {
  return { by: { id, name }, address: ctx.ip, requestId: ctx.state.requestId };
}
