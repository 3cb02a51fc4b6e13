import { z } from 'zod';
import { storeKeys } from '../store/keys.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecord, type ClassRecordDeps } from './class-record.ts';

const count = z.number().int().nonnegative();

/** How far the start of a class's machines is. */
const classStart = z.object({
  version: z.literal(1),
  total: count,
  started: count,
  failed: count,
  /** When the broker that starts them wrote this, in milliseconds since the epoch. */
  updatedAt: z.number().int(),
});
export type ClassStart = z.infer<typeof classStart>;

const startRecord = {
  purpose: 'porthole class start v1',
  schema: classStart,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, ClassStart>;

export function createClassStarts(deps: ClassRecordDeps): ClassRecord<ClassStart> {
  return createClassRecord(deps, 'start', startRecord);
}
