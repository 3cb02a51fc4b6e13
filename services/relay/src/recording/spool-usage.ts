/** What a spool occupies, and whether that is too much. */
export interface SpoolUsage {
  memory(delta: number): void;
  /** Of the memory, what is on its way to the disk. */
  unwritten(delta: number): void;
  disk(delta: number): void;
  isFull(): boolean;
  /** The share of the memory that is in use, or with `unwritten` on its way to the disk. */
  shareOf(which: 'memory' | 'unwritten'): number;
  /** The share of the disk that is in use. */
  shareOfDisk(): number;
  read(): { readonly memoryBytes: number; readonly diskBytes: number };
}

export interface SpoolLimits {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export function createSpoolUsage(limits: SpoolLimits): SpoolUsage {
  let memoryBytes = 0;
  let unwrittenBytes = 0;
  let diskBytes = 0;
  return {
    memory(delta) {
      memoryBytes += delta;
    },
    unwritten(delta) {
      unwrittenBytes += delta;
    },
    disk(delta) {
      diskBytes += delta;
    },
    isFull: () => memoryBytes >= limits.memoryBytes || diskBytes >= limits.diskBytes,
    shareOf: (which) => (which === 'memory' ? memoryBytes : unwrittenBytes) / limits.memoryBytes,
    shareOfDisk: () => diskBytes / limits.diskBytes,
    read: () => ({ memoryBytes, diskBytes }),
  };
}
