import { z } from 'zod';
import { partFacts } from './part-facts.ts';
import { maxTextLength } from '../limits.ts';

const count = z.number().int().min(0);
/** Milliseconds since the part began. */
const at = count;
const wallMs = z.number().int();

/** What a list of recordings shows of a part. The first segment of the index, so that a list reads only a few KiB. */
export const partSummary = z
  .object({
    revision: count,
    facts: partFacts,
    startedAt: wallMs,
    updatedAt: wallMs,
    durationMs: at,
    /** Missing while the part is recorded, and if its relay was killed. */
    end: z.object({ at: wallMs, reason: z.string().max(maxTextLength) }).optional(),
    /** Finished chunks. There can be one more, which is in progress or was when its relay was killed. */
    chunks: count,
    plainBytes: count,
    storedBytes: count,
    gaps: count,
  })
  .readonly();

export type PartSummary = z.infer<typeof partSummary>;

/** Limits of the lists below, so that an index stays small however long a session is. */
export const indexLimits = { buckets: 4096, positions: 2048, events: 512 } as const;

const positions = z
  .object({
    /** Only each `stride`-th is listed. */
    stride: count.positive(),
    /** Pairs of time and number of the chunk. */
    entries: z.array(z.tuple([at, count])).max(indexLimits.positions),
  })
  .readonly();

/** What a player needs to draw its bar and to seek. The second segment of the index. */
export const partDetails = z
  .object({
    revision: count,
    activity: z.object({
      bucketSeconds: count.positive(),
      /** Bytes of the screen or the terminal in each bucket. */
      bytes: z.array(count).max(indexLimits.buckets),
      /** Key presses and pointer moments in each bucket, at most 255. */
      keys: z.array(count).max(indexLimits.buckets),
      pointer: z.array(count).max(indexLimits.buckets),
    }),
    chunks: positions,
    /** Chunks that begin with a keyframe. */
    keyframes: positions,
    /** Time, width, height: pixels of a screen, columns and rows of a terminal. */
    resizes: z.array(z.tuple([at, count, count])).max(indexLimits.events),
    observers: z.array(z.tuple([at, z.boolean(), z.string().max(maxTextLength)])).max(indexLimits.events),
    marks: z.array(z.tuple([at, z.string(), z.string().max(maxTextLength)])).max(indexLimits.events),
    /** Events beyond the limits, which are only in the chunks. */
    omittedEvents: count,
  })
  .readonly();

export type PartDetails = z.infer<typeof partDetails>;

/** Plain data of one segment of an index. Its usual size is a hundredth; texts of the longest kind need the rest. */
export const maxIndexSegmentBytes = 2 * 1024 * 1024;
/** With this many bytes of an index, a list has the whole summary, unless its texts are unusually long. */
export const summaryReadBytes = 4096;
