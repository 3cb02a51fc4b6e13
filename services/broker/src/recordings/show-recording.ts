import type { ReadIndex, PartIndex } from '@porthole/shared/recording/read/read-index';
import type { Step } from '../http/context.ts';
import { readCompleteIndexes } from './complete-index.ts';
import { describeRecording } from './describe-recording.ts';
import {
  auditFields,
  liveness,
  recordingRoute,
  requestFields,
  requireRecording,
  type RecordingRouteDeps,
} from './recording-request.ts';
import type { StoredRecording, SummarisedPart } from './stored-recording.ts';

/** GET /api/v1/recordings/{id}: what a player needs of a recording: its parts with activity, times and problems. */
export function showRecording(deps: RecordingRouteDeps): Step {
  return recordingRoute(deps, 'search', async (ctx, request) => {
    const { user, permissions, recordings, signal } = request;
    const stored = await requireRecording(ctx, request);
    const { recording, indexes } = await readCompleteIndexes(recordings, stored, signal);
    const isLive = await liveness(deps);
    if (deps.watched.note(user.id, recording.id))
      deps.audit({ event: 'recording_watched', ...auditFields(recording), ...requestFields(ctx, user) });
    ctx.body = {
      ...describeRecording(recording, isLive),
      ...recordedKinds(recording),
      mayManage: permissions.mayManage,
      parts: recording.parts.map((part, index) => describePart(part, indexes[index])),
      problems: recording.problems,
    };
  });
}

function recordedKinds({ facts }: StoredRecording) {
  return { keys: facts?.keys ?? false, clipboard: facts?.clipboard ?? false };
}

function describePart({ part, chunks }: SummarisedPart, read: ReadIndex<PartIndex> | undefined) {
  const index = read?.value;
  if (!index) return { part, chunkCount: (chunks.at(-1) ?? -1) + 1 };
  const { startedAt, durationMs, end, ...summary } = index.summary;
  const { activity, keyframes, resizes, observers, marks } = index.details;
  return {
    part,
    // A part in progress has one more than its index says.
    chunkCount: Math.max(summary.chunks, (chunks.at(-1) ?? -1) + 1),
    index: {
      startedAt: new Date(startedAt).toISOString(),
      durationMs,
      ...(end ? { endReason: end.reason } : {}),
      activity,
      chunks: index.details.chunks,
      keyframes,
      resizes,
      observers,
      marks,
    },
  };
}
