import { z } from 'zod';
import { storeKeys } from '../store/keys.ts';
import { byDigest, type SealedRecordType } from '../store/sealed-records.ts';
import { createClassRecord, type ClassRecord, type ClassRecordDeps } from './class-record.ts';
import type { ClassEnding } from './endings.ts';
import { shownName } from './texts.ts';

/** An instructor shows the screen of a machine to the members of a class. */
const classShowing = z.object({
  version: z.literal(1),
  /** Tells showings apart, so that grants for an earlier one are of no use. */
  id: z.string().min(1).max(32),
  cluster: z.string().min(1).max(64),
  vmid: z.number().int().positive(),
  /** Whose screen it is, or the name of the machine. */
  name: shownName,
  /** The instructor, if the configuration allows to name operators. */
  by: shownName.optional(),
  /** When it began and when it ends by itself, in milliseconds since the epoch. */
  since: z.number().int(),
  until: z.number().int(),
});
export type ClassShowing = z.infer<typeof classShowing>;

const showingRecord = {
  purpose: 'porthole class showing v1',
  schema: classShowing,
  locate: byDigest(storeKeys.classRecord),
} satisfies SealedRecordType<string, ClassShowing>;

/** What is shown to each class, until it ends. */
export function createClassShowings(deps: ClassRecordDeps): ClassRecord<ClassShowing> {
  return createClassRecord(deps, 'showing', showingRecord);
}

/** What is shown at a time. A showing ends with the class in which it began. */
export function showingAt(
  {
    showing,
    ending,
  }: { readonly showing: ClassShowing | undefined; readonly ending: ClassEnding | undefined },
  now: number,
): ClassShowing | undefined {
  if (!showing || now >= showing.until) return undefined;
  return ending && now >= ending.at && showing.since < ending.at ? undefined : showing;
}
