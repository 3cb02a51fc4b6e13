/** Takes the objects of a part as they are written. Calls come in order, and must not throw. */
export interface ChunkSink {
  /** Appends pieces to the object of a chunk. The sink owns them from now on. After the call with `finished`, nothing more comes for this chunk. */
  append(chunk: number, pieces: readonly Buffer[], finished: boolean): void;
}
