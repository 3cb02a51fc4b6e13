import type { RecordingDetails, RecordingPart } from '../../recording-types.ts';

/** Times are in milliseconds of playing, from 0: the parts follow each other without the time between them. */
export interface Timeline {
  readonly durationMs: number;
  readonly parts: readonly TimelinePart[];
  readonly moments: readonly Moment[];
  /** Bytes, keys and pointer moments of each of `columns` equal stretches, from 0 to 1. */
  activity(columns: number): readonly Activity[];
  partAt(ms: number): TimelinePart | undefined;
  /** The end of the quiet stretch that `ms` is in, if it lasts longer than `quietMs`. */
  endOfQuiet(ms: number): number | undefined;
}

export interface TimelinePart extends RecordingPart {
  readonly position: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Wall clock at its start, in milliseconds since the epoch. Undefined without index. */
  readonly startedAt: number | undefined;
}

export interface Activity {
  readonly bytes: number;
  readonly hasKeys: boolean;
  readonly hasPointer: boolean;
}

/** Something to show on the bar. `damage`: the time after it is missing or damaged. */
export interface Moment {
  readonly ms: number;
  readonly kind: 'part' | 'gap' | 'damage' | 'observer' | 'note';
  readonly what:
    | { readonly name: 'part'; readonly number: number }
    | { readonly name: 'unreadable-index' }
    | { readonly name: 'observer'; readonly user: string; readonly joined: boolean }
    /** A mark of the recording. A note has a text. */
    | { readonly name: 'mark'; readonly mark: string; readonly text: string }
    | { readonly name: 'problem'; readonly problem: string };
}

const quietMs = 3000;

export function createTimeline({
  parts: given,
  problems,
}: Pick<RecordingDetails, 'parts' | 'problems'>): Timeline {
  let endMs = 0;
  const parts = given.map((part, position): TimelinePart => {
    const startMs = endMs;
    endMs += part.index?.durationMs ?? 0;
    const startedAt = part.index && Date.parse(part.index.startedAt);
    return { ...part, position, startMs, endMs, startedAt };
  });
  return {
    durationMs: endMs,
    parts,
    moments: [
      ...parts.flatMap(momentsOf),
      ...problems.map((problem) => damageMoment(parts, problem)),
    ].toSorted((a, b) => a.ms - b.ms),
    activity: (columns) => activityOf(parts, endMs, columns),
    partAt: (ms) => parts.findLast(({ startMs, index }) => index && startMs <= ms) ?? parts[0],
    endOfQuiet(ms) {
      const part = parts.findLast(({ startMs, index }) => index && startMs <= ms);
      if (!part?.index) return undefined;
      const { bucketSeconds, bytes } = part.index.activity;
      const bucketMs = bucketSeconds * 1000;
      const first = Math.floor((ms - part.startMs) / bucketMs);
      let bucket = first;
      while (bucket < bytes.length && bytes[bucket] === 0) bucket++;
      const end = bucket < bytes.length ? part.startMs + bucket * bucketMs : part.endMs;
      return end - ms > quietMs ? end : undefined;
    },
  };
}

function momentsOf({ position, startMs, index }: TimelinePart): Moment[] {
  const begin: Moment[] =
    position > 0 ? [{ ms: startMs, kind: 'part', what: { name: 'part', number: position + 1 } }] : [];
  if (!index) return [...begin, { ms: startMs, kind: 'damage', what: { name: 'unreadable-index' } }];
  return [
    ...begin,
    ...index.observers.map(([at, joined, user]): Moment => ({
      ms: startMs + at,
      kind: 'observer',
      what: { name: 'observer', user, joined },
    })),
    ...index.marks.map(([at, name, text]): Moment => ({
      ms: startMs + at,
      kind: name === 'note' ? 'note' : 'gap',
      what: { name: 'mark', mark: name, text },
    })),
  ];
}

function damageMoment(
  parts: readonly TimelinePart[],
  { kind, part: name, chunk }: RecordingDetails['problems'][number],
): Moment {
  const part = parts.find((each) => each.part === name);
  const at = part?.index?.chunks.entries.findLast(([, number]) => number <= (chunk ?? 0))?.[0] ?? 0;
  return { ms: (part?.startMs ?? 0) + at, kind: 'damage', what: { name: 'problem', problem: kind } };
}

function activityOf(
  parts: readonly TimelinePart[],
  durationMs: number,
  columns: number,
): readonly Activity[] {
  const found = Array.from({ length: columns }, () => ({ bytes: 0, hasKeys: false, hasPointer: false }));
  if (durationMs === 0) return found;
  for (const { startMs, index } of parts) {
    if (!index) continue;
    const { bucketSeconds, bytes, keys, pointer } = index.activity;
    for (const [bucket, count] of bytes.entries()) {
      const ms = startMs + bucket * bucketSeconds * 1000;
      const column = found[Math.min(columns - 1, Math.floor((ms / durationMs) * columns))];
      if (!column) continue;
      column.bytes += count;
      column.hasKeys ||= (keys[bucket] ?? 0) > 0;
      column.hasPointer ||= (pointer[bucket] ?? 0) > 0;
    }
  }
  // Amounts differ by many orders of magnitude.
  const most = Math.log1p(Math.max(...found.map(({ bytes }) => bytes)));
  return found.map((column) => ({ ...column, bytes: most === 0 ? 0 : Math.log1p(column.bytes) / most }));
}

/** Time and chunk at which to begin to show a time of the part: the last keyframe before it, or the start. */
export function keyframeBefore(
  { index }: Pick<RecordingPart, 'index'>,
  ms: number,
): readonly [ms: number, chunk: number] {
  return index?.keyframes.entries.findLast(([at]) => at <= ms) ?? [0, 0];
}
