import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Step } from '../http/context.ts';
import { deleteRecordingObjects } from './legal-hold.ts';
import {
  auditFields,
  liveness,
  recordingRoute,
  requestFields,
  requireRecording,
  type RecordingRouteDeps,
} from './recording-request.ts';
import { asRecordingError } from './recording-source.ts';

/** DELETE /api/v1/recordings/{id}: deletes a recording before its time, unless it is held or in progress. */
export function deleteRecording(deps: RecordingRouteDeps): Step {
  return recordingRoute(deps, 'change', async (ctx, request) => {
    const { user, permissions, recordings } = request;
    const recording = await requireRecording(ctx, request);
    if (!permissions.mayManage) throw new PortholeError('not_allowed', { detail: 'delete a recording' });
    const isLive = await liveness(deps);
    const isOpen = recording.facts !== undefined && !recording.ended && isLive(recording.facts.session);
    if (isOpen) throw new PortholeError('recording_running');
    try {
      if (!(await deleteRecordingObjects(recordings, recording.id)))
        throw new PortholeError('recording_held');
    } catch (error) {
      deps.metrics.recordingDeletion('user', asPortholeError(asRecordingError(error)).code);
      throw error;
    }
    deps.metrics.recordingDeletion('user', 'ok');
    deps.audit({ event: 'recording_deleted', ...auditFields(recording), ...requestFields(ctx, user) });
    ctx.status = 204;
  });
}
