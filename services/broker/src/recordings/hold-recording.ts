import { PortholeError } from '@porthole/shared/errors';
import type { Step } from '../http/context.ts';
import { removeHold, setHold } from './legal-hold.ts';
import {
  auditFields,
  recordingRoute,
  requestFields,
  requireRecording,
  type RecordingRouteDeps,
} from './recording-request.ts';

/** PUT and DELETE /api/v1/recordings/{id}/hold: keeps a recording from being deleted, or no longer. */
export function changeHold(deps: RecordingRouteDeps, action: 'set' | 'remove'): Step {
  return recordingRoute(deps, 'change', async (ctx, request) => {
    const { user, permissions, recordings } = request;
    const recording = await requireRecording(ctx, request);
    if (!permissions.mayManage) throw new PortholeError('not_allowed', { detail: 'hold a recording' });
    if (action === 'remove') await removeHold(recordings, recording.id);
    else {
      const held = await setHold(recordings, recording.id, { by: user.id, at: deps.clock.now() });
      if (!held) throw new PortholeError('not_found', { detail: 'the recording is being deleted' });
    }
    deps.audit({
      event: 'recording_hold',
      ...auditFields(recording),
      action,
      ...requestFields(ctx, user),
    });
    ctx.status = 204;
  });
}
