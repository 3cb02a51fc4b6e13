import { dayPrefix, isRecordingId, startOf } from '@porthole/shared/recording/names';
import type { ReadDeps } from '@porthole/shared/recording/read/read-index';
import { withTails } from './part-tail.ts';
import { readStoredRecording, type StoredRecording } from './stored-recording.ts';

const dayMs = 24 * 3_600_000;
/** What one search reads at most. The next one goes on from there. */
const limits = { days: 62, recordings: 400, concurrent: 8 } as const;

export interface RecordingSearch {
  /** Milliseconds since the Unix epoch, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Only recordings whose ids are before this text, in the order of character codes. */
  readonly before?: string;
  readonly count: number;
  accepts(recording: StoredRecording): boolean;
}

export interface FoundRecordings {
  readonly recordings: readonly StoredRecording[];
  /** `before` of the search that goes on. Undefined: there are no more. */
  readonly next?: string;
}

/** Searches from the newest recording to the oldest, day by day, and reads a bounded number of them. */
export async function findRecordings(
  deps: ReadDeps,
  search: RecordingSearch,
  signal?: AbortSignal,
): Promise<FoundRecordings> {
  const oldest = await oldestRecording(deps, signal);
  if (oldest === undefined) return { recordings: [] };
  const firstDay = startOfDay(Math.max(startOf(oldest), search.from));
  const newest = search.before === undefined ? search.to : Math.min(search.to, startOfDayOf(search.before));
  const found: StoredRecording[] = [];
  let examined = 0;
  let days = 0;
  for (let day = startOfDay(newest); day >= firstDay; day -= dayMs) {
    // One request tells that a month is empty.
    if (isLastOfMonth(day) && (await isEmpty(deps, monthPrefix(day), signal))) {
      day = startOfMonth(day);
      continue;
    }
    if (days++ === limits.days) return { recordings: found, next: dayPrefix(day + dayMs) };
    const ids = await idsOfDay(deps, search, day, signal);
    for (let at = 0; at < ids.length; at += limits.concurrent) {
      const batch = ids.slice(at, at + limits.concurrent);
      const read = await Promise.all(batch.map((id) => readIfAccepted(deps, search, id, signal)));
      for (const [index, recording] of read.entries()) {
        if (recording) found.push(recording);
        const id = batch[index];
        if (found.length === search.count && id !== undefined) return { recordings: found, next: id };
      }
      examined += batch.length;
      const last = batch.at(-1);
      if (examined >= limits.recordings && last !== undefined) return { recordings: found, next: last };
    }
  }
  return { recordings: found };
}

async function readIfAccepted(
  deps: ReadDeps,
  { accepts }: RecordingSearch,
  id: string,
  signal: AbortSignal | undefined,
): Promise<StoredRecording | undefined> {
  const recording = await readStoredRecording(deps, id, signal);
  return recording && !recording.deleting && accepts(recording)
    ? withTails(deps, recording, signal)
    : undefined;
}

/** Ids of a day that the search includes, newest first. */
async function idsOfDay(
  { storage }: ReadDeps,
  { from, to, before }: RecordingSearch,
  day: number,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const id of storage.listGroups(dayPrefix(day), signal ? { signal } : {})) {
    if (!isRecordingId(id) || (before !== undefined && id >= before)) continue;
    // Ids have seconds only.
    if (startOf(id) + 999 >= from && startOf(id) <= to) ids.push(id);
  }
  return ids.toReversed();
}

/** The first recording whose id begins with the prefix. */
export async function oldestRecording(
  { storage }: Pick<ReadDeps, 'storage'>,
  signal?: AbortSignal,
  prefix = '',
): Promise<string | undefined> {
  for await (const id of storage.listGroups(prefix, signal ? { signal } : {}))
    if (isRecordingId(id)) return id;
  return undefined;
}

const isEmpty = async (deps: ReadDeps, prefix: string, signal: AbortSignal | undefined) =>
  (await oldestRecording(deps, signal, prefix)) === undefined;
const monthPrefix = (day: number) => dayPrefix(day).slice(0, 6);
const isLastOfMonth = (day: number) => monthPrefix(day) !== monthPrefix(day + dayMs);
const startOfMonth = (day: number) => day - (new Date(day).getUTCDate() - 1) * dayMs;

const startOfDay = (ms: number) => Math.floor(ms / dayMs) * dayMs;
const startOfDayOf = (text: string) =>
  Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8)));
