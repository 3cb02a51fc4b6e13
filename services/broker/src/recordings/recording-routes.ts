import type { Router } from '@koa/router';
import type { RequestState } from '../http/context.ts';
import { deleteRecording } from './delete-recording.ts';
import { downloadRecording } from './download-recording.ts';
import { changeHold } from './hold-recording.ts';
import { listRecordings, type ListRecordingsDeps } from './list-recordings.ts';
import { readChunk } from './read-chunk.ts';
import { showRecording } from './show-recording.ts';

/** The routes of recordings, which exist only with a storage of recordings. */
export function addRecordingRoutes(router: Router<RequestState>, deps: ListRecordingsDeps): void {
  router.get('/recordings', listRecordings(deps));
  router.get('/recordings/:id', showRecording(deps));
  router.delete('/recordings/:id', deleteRecording(deps));
  router.get('/recordings/:id/parts/:part/chunks/:chunk', readChunk(deps));
  router.get('/recordings/:id/download', downloadRecording(deps));
  router.put('/recordings/:id/hold', changeHold(deps, 'set'));
  router.delete('/recordings/:id/hold', changeHold(deps, 'remove'));
}
