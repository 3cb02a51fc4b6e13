/** Counts per bucket of time. The buckets grow with the part, so that memory and index stay bounded. */
export interface Activity {
  add(timeMs: number, kind: 'bytes' | 'keys' | 'pointer', amount: number): void;
  read(): {
    bucketSeconds: number;
    bytes: number[];
    keys: number[];
    pointer: number[];
  };
}

const initialBuckets = 64;
const maxKeys = 255;
const maxBytes = 0xffff_ffff;

export function createActivity(maxBuckets: number): Activity {
  let bucketSeconds = 1;
  let used = 0;
  let bytes = new Uint32Array(initialBuckets);
  let keys = new Uint8Array(initialBuckets);
  let pointer = new Uint8Array(initialBuckets);
  /** The bucket of the last call, because most calls are for the same one. */
  let last = 0;
  let lastFromMs = 0;
  let lastToMs = 0;

  function bucketOf(timeMs: number): number {
    if (timeMs >= lastFromMs && timeMs < lastToMs) return last;
    last = findBucket(timeMs);
    lastFromMs = last * bucketSeconds * 1000;
    lastToMs = lastFromMs + bucketSeconds * 1000;
    return last;
  }

  function findBucket(timeMs: number): number {
    let bucket = Math.floor(timeMs / 1000 / bucketSeconds);
    while (bucket >= maxBuckets) {
      halve();
      bucket = Math.floor(timeMs / 1000 / bucketSeconds);
    }
    if (bucket >= bytes.length) grow(bucket);
    used = Math.max(used, bucket + 1);
    return bucket;
  }

  function grow(bucket: number): void {
    let size = bytes.length;
    while (size <= bucket) size = Math.min(size * 2, maxBuckets);
    const [oldBytes, oldKeys, oldPointer] = [bytes, keys, pointer];
    [bytes, keys, pointer] = [new Uint32Array(size), new Uint8Array(size), new Uint8Array(size)];
    bytes.set(oldBytes);
    keys.set(oldKeys);
    pointer.set(oldPointer);
  }

  /** Joins each two buckets. */
  function halve(): void {
    bucketSeconds *= 2;
    const joined = Math.ceil(used / 2);
    for (const [list, max] of [
      [bytes, maxBytes],
      [keys, maxKeys],
      [pointer, maxKeys],
    ] as const) {
      for (let i = 0; i < joined; i++) list[i] = Math.min((list[2 * i] ?? 0) + (list[2 * i + 1] ?? 0), max);
      list.fill(0, joined);
    }
    used = joined;
  }

  return {
    add(timeMs, kind, amount) {
      const bucket = bucketOf(timeMs);
      if (kind === 'bytes') bytes[bucket] = Math.min((bytes[bucket] ?? 0) + amount, maxBytes);
      else {
        const list = kind === 'keys' ? keys : pointer;
        list[bucket] = Math.min((list[bucket] ?? 0) + amount, maxKeys);
      }
    },
    read: () => ({
      bucketSeconds,
      bytes: [...bytes.subarray(0, used)],
      keys: [...keys.subarray(0, used)],
      pointer: [...pointer.subarray(0, used)],
    }),
  };
}
