/** Takes the objects of a part as they are written. Calls come in order, and must not throw. */
export interface ChunkSink {
  /** Appends bytes to the object of a chunk. After the call with `finished`, nothing more comes for this chunk. */
  append(chunk: number, bytes: Buffer, finished: boolean): void;
}
