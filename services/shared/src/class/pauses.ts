import { z } from 'zod';
import { storeKeys } from '../store/keys.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecord, type ClassRecordDeps } from './class-record.ts';
import { classText, shownName } from './texts.ts';

/** An instructor has paused the class: no input of its members reaches a machine. */
const classPause = z.object({
  version: z.literal(1),
  /** When the pause ends by itself, in milliseconds since the epoch. */
  until: z.number().int(),
  /** What members see. Can be empty. */
  text: classText,
  /** The instructor, if the configuration allows to name operators. */
  by: shownName.optional(),
});
export type ClassPause = z.infer<typeof classPause>;

const pauseRecord = {
  purpose: 'porthole class pause v1',
  schema: classPause,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, ClassPause>;

/** The pause of each class, until it ends. */
export function createClassPauses(deps: ClassRecordDeps): ClassRecord<ClassPause> {
  return createClassRecord(deps, 'paused', pauseRecord);
}
