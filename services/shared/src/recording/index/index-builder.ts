import { createActivity } from './activity.ts';
import type { PartFacts } from './part-facts.ts';
import { indexLimits, type PartDetails, type PartSummary } from './part-index.ts';
import { maxTextLength } from '../limits.ts';
import type { RecordingRecord } from '../record/record.ts';

/** Collects the index of a part while it is written. */
export interface IndexBuilder {
  /** Bytes of a screen or terminal. Called for each, so it is cheap. */
  bytes(timeMs: number, length: number): void;
  record(timeMs: number, record: RecordingRecord): void;
  chunkBegins(timeMs: number, chunk: number, withKeyframe: boolean): void;
  chunkEnds(timeMs: number, plainBytes: number, storedBytes: number): void;
  end(wallMs: number, timeMs: number, reason: string): void;
  read(wallMs: number): { readonly summary: PartSummary; readonly details: PartDetails };
}

export function createIndexBuilder(facts: PartFacts, startedAt: number): IndexBuilder {
  const activity = createActivity(indexLimits.buckets);
  const chunks = createPositions();
  const keyframes = createPositions();
  const resizes: [number, number, number][] = [];
  const observers: [number, boolean, string][] = [];
  const marks: [number, string, string][] = [];
  let revision = 0;
  let durationMs = 0;
  let finished = 0;
  let plainBytes = 0;
  let storedBytes = 0;
  let gaps = 0;
  let omittedEvents = 0;
  let ended: { at: number; reason: string } | undefined;

  function event<T>(list: T[], entry: T): void {
    if (list.length < indexLimits.events) list.push(entry);
    else omittedEvents++;
  }

  return {
    bytes(timeMs, length) {
      durationMs = timeMs;
      activity.add(timeMs, 'bytes', length);
    },
    record(timeMs, record) {
      durationMs = timeMs;
      if (record.type === 'key') activity.add(timeMs, 'keys', 1);
      else if (record.type === 'pointer') activity.add(timeMs, 'pointer', 1);
      else if (record.type === 'resize') event(resizes, [timeMs, record.width, record.height]);
      else if (record.type === 'observer') event(observers, [timeMs, record.joined, cut(record.user)]);
      else if (record.type === 'mark') {
        if (record.name === 'gap') gaps++;
        event(marks, [timeMs, record.name, cut(record.text)]);
      } else if (record.type === 'terminal' && record.code === 'r') {
        const [columns, rows] = new TextDecoder().decode(record.bytes).split('x').map(Number);
        if (isSize(columns) && isSize(rows)) event(resizes, [timeMs, columns, rows]);
      }
    },
    chunkBegins(timeMs, chunk, withKeyframe) {
      chunks.add(timeMs, chunk);
      if (withKeyframe) keyframes.add(timeMs, chunk);
    },
    chunkEnds(timeMs, plain, stored) {
      durationMs = Math.max(durationMs, timeMs);
      finished++;
      plainBytes += plain;
      storedBytes += stored;
    },
    end(wallMs, timeMs, reason) {
      durationMs = timeMs;
      ended = { at: wallMs, reason: cut(reason) };
    },
    read(wallMs) {
      revision++;
      const summary: PartSummary = {
        revision,
        facts,
        startedAt,
        updatedAt: wallMs,
        durationMs,
        ...(ended ? { end: ended } : {}),
        chunks: finished,
        plainBytes,
        storedBytes,
        gaps,
      };
      const details: PartDetails = {
        revision,
        activity: activity.read(),
        chunks: chunks.read(),
        keyframes: keyframes.read(),
        resizes: [...resizes],
        observers: [...observers],
        marks: [...marks],
        omittedEvents,
      };
      return { summary, details };
    },
  };
}

const cut = (text: string) => text.slice(0, maxTextLength);
const isSize = (value: number | undefined): value is number =>
  value !== undefined && Number.isInteger(value) && value >= 0;

/** Times and numbers of chunks. Lists fewer of them when there are many. */
function createPositions() {
  let entries: [number, number][] = [];
  let stride = 1;
  let seen = 0;
  return {
    add(timeMs: number, chunk: number) {
      if (seen++ % stride !== 0) return;
      if (entries.length === indexLimits.positions) {
        stride *= 2;
        entries = entries.filter((_, position) => position % 2 === 0);
        if ((seen - 1) % stride !== 0) return;
      }
      entries.push([timeMs, chunk]);
    },
    read: () => ({ stride, entries: [...entries] }),
  };
}
