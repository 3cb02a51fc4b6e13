/** What a spool occupies, and whether that is too much. */
export interface SpoolUsage {
  memory(delta: number): void;
  disk(delta: number): void;
  isFull(): boolean;
  read(): { readonly memoryBytes: number; readonly diskBytes: number };
}

export interface SpoolLimits {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export function createSpoolUsage(limits: SpoolLimits): SpoolUsage {
  let memoryBytes = 0;
  let diskBytes = 0;
  return {
    memory(delta) {
      memoryBytes += delta;
    },
    disk(delta) {
      diskBytes += delta;
    },
    isFull: () => memoryBytes >= limits.memoryBytes || diskBytes >= limits.diskBytes,
    read: () => ({ memoryBytes, diskBytes }),
  };
}
