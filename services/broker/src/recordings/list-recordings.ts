import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';
import type { Step } from '../http/context.ts';
import { describeRecording } from './describe-recording.ts';
import { findRecordings } from './find-recordings.ts';
import { matchesFilter } from './match-recording.ts';
import { liveness, recordingRoute, type RecordingRouteDeps } from './recording-request.ts';

export interface ListRecordingsDeps extends RecordingRouteDeps {
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}

const text = z.string().min(1).max(256);
const listQuery = z.strictObject({
  /** Part of the id or the name of the user. */
  user: text.optional(),
  /** cluster/number, a number, or part of the name of the machine. */
  machine: text.optional(),
  class: z.string().min(1).max(64).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(512).optional(),
});

/**
 * GET /api/v1/recordings: the recordings that the user may see, newest first. One request reads a bounded number of
 * them, so a page can have fewer than `limit` although more follow.
 */
export function listRecordings(deps: ListRecordingsDeps): Step {
  return recordingRoute(deps, 'search', async (ctx, { permissions, recordings, signal }) => {
    const parsed = listQuery.safeParse({ ...ctx.query });
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { from, to, limit, cursor, ...filter } = parsed.data;
    const before = cursor === undefined ? undefined : openCursor(deps, cursor);
    const found = await findRecordings(
      recordings,
      {
        from: from === undefined ? 0 : Date.parse(from),
        // Clocks of relays can be ahead a little.
        to: to === undefined ? deps.clock.now() + 60_000 : Date.parse(to),
        count: limit,
        ...(before === undefined ? {} : { before }),
        accepts: (recording) => permissions.maySee(recording) && matchesFilter(recording.facts, filter),
      },
      signal,
    );
    const isLive = await liveness(deps);
    ctx.body = {
      recordings: found.recordings.map((recording) => describeRecording(recording, isLive)),
      ...(found.next === undefined ? {} : { next: sealCursor(deps, found.next) }),
      mayManage: permissions.mayManage,
    };
  });
}

/** Sealed, because the position can be that of a recording that the user may not see. */
const context: SealContext = {
  token: Buffer.from('recordings'),
  purpose: 'porthole recordings cursor v1',
  storeKey: 'recordings',
};

const sealCursor = ({ keys, random }: ListRecordingsDeps, position: string) =>
  seal(keys, random, context, position);

function openCursor({ keys }: ListRecordingsDeps, cursor: string): string {
  const position = unseal(keys, context, cursor);
  if (position === undefined) throw new BadRequest('cursor: is invalid');
  return position;
}
