import { PortholeError } from '@porthole/shared/errors';
import { maxObjectBytes, maxSegmentBytes } from '@porthole/shared/recording/limits';
import { chunkName, isPartName } from '@porthole/shared/recording/names';
import { openObject } from '@porthole/shared/recording/read/open-object';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import type { Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import {
  auditFields,
  recordingRoute,
  requestFields,
  requireRecentRecording,
  type RecordingRequest,
  type RecordingRouteDeps,
} from './recording-request.ts';

/**
 * GET /api/v1/recordings/{id}/parts/{part}/chunks/{chunk}: the plain data of a chunk, at most 1 MiB: for each segment
 * that is authentic, its length in 4 bytes and its data. The header `x-recording-problem` says that something is missing.
 */
export function readChunk(deps: RecordingRouteDeps): Step {
  return recordingRoute(deps, 'chunk', async (ctx, request) => {
    const { part = '', chunk: text = '' } = pathParameters(ctx);
    const recording = await requireRecentRecording(ctx, deps, request);
    if (!isPartName(part) || !/^\d{1,6}$/.test(text))
      throw new PortholeError('not_found', { detail: 'no such chunk' });
    const chunk = Number(text);
    const bytes = await getChunk(request, chunkName({ recording: recording.id, part }, chunk));
    const expected = { recording: recording.id, part, kind: 'chunk', number: chunk } as const;
    const { segments, problem } = openObject(request.recordings.keys, expected, bytes, maxSegmentBytes);
    if (deps.watched.note(request.user.id, recording.id))
      deps.audit({
        event: 'recording_watched',
        ...auditFields(recording),
        ...requestFields(ctx, request.user),
      });
    if (problem) ctx.set('x-recording-problem', problem);
    ctx.type = 'application/octet-stream';
    ctx.body = Buffer.concat(segments.flatMap((segment) => [lengthOf(segment), segment]));
  });
}

function lengthOf(segment: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(segment.length);
  return length;
}

async function getChunk({ recordings, signal }: RecordingRequest, name: string): Promise<Buffer> {
  try {
    return await recordings.storage.get(name, { maxBytes: maxObjectBytes, signal });
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not_found')
      throw new PortholeError('not_found', { detail: 'no such chunk' });
    throw error;
  }
}
