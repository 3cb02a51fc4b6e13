import { z } from 'zod';
import { storeKeys } from '../store/keys.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecord, type ClassRecordDeps } from './class-record.ts';
import { shownName } from './texts.ts';

/** An instructor ends the class: consoles of its members that were granted before `at` end at `at`. */
const classEnding = z.object({
  version: z.literal(1),
  /** Milliseconds since the epoch. */
  at: z.number().int(),
  /** The instructor, if the configuration allows to name operators. */
  by: shownName.optional(),
});
export type ClassEnding = z.infer<typeof classEnding>;

const endingRecord = {
  purpose: 'porthole class ending v1',
  schema: classEnding,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, ClassEnding>;

/**
 * The end of each class. The record outlives the end (lifetimes.classEnding), so that a relay that was away ends the
 * consoles that it carries.
 */
export function createClassEndings(deps: ClassRecordDeps): ClassRecord<ClassEnding> {
  return createClassRecord(deps, 'ending', endingRecord);
}
