import { Readable } from 'node:stream';
import { readRecording } from '@porthole/shared/recording/read/read-recording';
import type { Step } from '../http/context.ts';
import { toAsciicast } from './asciicast.ts';
import { toContainer } from './container.ts';
import {
  auditFields,
  recordingRoute,
  requestFields,
  requireRecording,
  type RecordingRouteDeps,
} from './recording-request.ts';

/**
 * GET /api/v1/recordings/{id}/download: the complete recording in one file: asciicast v3 for terminals, Porthole's own
 * container for screens. One chunk at a time is in memory.
 */
export function downloadRecording(deps: RecordingRouteDeps): Step {
  return recordingRoute(deps, 'change', async (ctx, request) => {
    const recording = await requireRecording(ctx, request);
    const { user, recordings, signal } = request;
    deps.audit({ event: 'recording_downloaded', ...auditFields(recording), ...requestFields(ctx, user) });
    const items = readRecording(recordings, recording.id, { signal });
    const isTerminal = recording.facts?.kind === 'terminal';
    ctx.set('content-disposition', `attachment; filename="${fileNameOf(recording.id, isTerminal)}"`);
    ctx.type = isTerminal ? 'application/x-asciicast' : 'application/octet-stream';
    ctx.body = Readable.from(isTerminal ? toAsciicast(items) : toContainer(items), { objectMode: false });
  });
}

export const fileNameOf = (id: string, isTerminal: boolean): string =>
  `porthole-${id}.${isTerminal ? 'cast' : 'phrx'}`;
