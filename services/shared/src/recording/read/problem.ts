/**
 * What is wrong with a recording, as a closed list.
 *
 * - `missing_part`: the ordinals of the parts have a gap.
 * - `missing_chunk`: a chunk is not in the storage.
 * - `missing_index`, `damaged_index`: the index cannot be used. The chunks can.
 * - `misplaced_chunk`: the object is another chunk, or one of another recording.
 * - `damaged_chunk`: bytes of the chunk were altered, or its header has an unknown version.
 * - `truncated_chunk`: the chunk ends early, and is not the last one of a part without an end.
 * - `broken_chain`: the chunk before is authentic, but not the one that this chunk was written after.
 * - `unknown_key`: the key of the recording is not among `recordings.encryptionKeys` any more.
 */
export type RecordingProblemKind =
  | 'missing_part'
  | 'missing_chunk'
  | 'missing_index'
  | 'damaged_index'
  | 'misplaced_chunk'
  | 'damaged_chunk'
  | 'truncated_chunk'
  | 'broken_chain'
  | 'unknown_key';

export interface RecordingProblem {
  readonly kind: RecordingProblemKind;
  /** Missing if a part is. */
  readonly part?: string;
  /** Missing unless it is about a chunk. */
  readonly chunk?: number;
}
