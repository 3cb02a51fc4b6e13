/** Limits of the format. A reader refuses what exceeds them. */

/** Plain data of one chunk. */
export const maxChunkBytes = 1024 * 1024;
/** Time from the first record of a chunk to its end. */
export const maxChunkMs = 60_000;
/** Plain data of one segment: the writer's buffer. */
export const maxSegmentBytes = 32 * 1024;
/** Data of one record, joined from its pieces. The largest keyframe, of 2560×1600 pixels without compression, has 16.4 MB. */
export const maxRecordBytes = 20 * 1024 * 1024;
/** Text of a mark, an observer's name, and the like, in UTF-16 code units. */
export const maxTextLength = 256;
/** What a reader takes of one object, so that a foreign object in the storage cannot exhaust its memory. */
export const maxObjectBytes = 4 * 1024 * 1024;
