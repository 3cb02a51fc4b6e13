import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { PortholeError } from '../errors.ts';
import type { RecordStore } from '../store/ports.ts';
import {
  addSealed,
  deleteSealed,
  getSealed,
  putSealed,
  replaceSealed,
  type SealedRecordType,
} from '../store/sealed-records.ts';

export interface ClassRecordDeps {
  readonly records: Pick<RecordStore, 'get' | 'put' | 'add' | 'replace' | 'delete'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}

/** One record of each class. Rejects with `store_unavailable` like every call to the store. */
export interface ClassRecord<T> {
  read(className: string): Promise<T | undefined>;
  /** Writes or overwrites the record; it expires after `ttlMs`. */
  write(className: string, value: T, ttlMs: number): Promise<void>;
  /** Writes what `change` makes of the current value, also while others write. */
  change(className: string, change: (current: T | undefined) => T, ttlMs: number): Promise<void>;
  clear(className: string): Promise<void>;
}

/** Each further attempt means that another writer came between the read and the write. */
const maxAttempts = 20;

/** `kind` tells the records of one class apart, such as "paused". Class names are guessable, so digests are keyed. */
export function createClassRecord<T>(
  deps: ClassRecordDeps,
  kind: string,
  type: SealedRecordType<string, T>,
): ClassRecord<T> {
  const names = createKeyedDigests(deps.keys);
  const nameOf = (className: string) => `class/${kind}/${className}`;

  async function read(className: string): Promise<T | undefined> {
    // While keys rotate, the record may be stored under the digest of another key.
    for (const nameDigest of names.all(nameOf(className))) {
      // The first digest is nearly always the right one.
      // oxlint-disable-next-line no-await-in-loop
      const { value } = await getSealed(deps, type, nameDigest);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** A pod whose first key is another one must not find what was overwritten. */
  async function clearOlder(className: string): Promise<void> {
    const [, ...older] = names.all(nameOf(className));
    await Promise.all(older.map((nameDigest) => deleteSealed(deps.records, type, nameDigest)));
  }

  return {
    read,
    async write(className, value, ttlMs) {
      await putSealed(deps, type, names.of(nameOf(className)), value, ttlMs);
      await clearOlder(className);
    },
    async change(className, change, ttlMs) {
      const nameDigest = names.of(nameOf(className));
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await getSealed(deps, type, nameDigest);
        const next = change(found.value ?? (await read(className)));
        const written =
          found.problem === undefined
            ? await replaceSealed(deps, type, nameDigest, found.sealed, next, ttlMs)
            : found.problem === 'not_found'
              ? await addSealed(deps, type, nameDigest, next, ttlMs)
              : // Nothing that can be opened: it is replaced.
                await putSealed(deps, type, nameDigest, next, ttlMs);
        if (written !== undefined) return clearOlder(className);
      }
      throw new PortholeError('store_unavailable', { detail: 'the class record changes too often' });
    },
    async clear(className) {
      await Promise.all(
        names.all(nameOf(className)).map((nameDigest) => deleteSealed(deps.records, type, nameDigest)),
      );
    },
  };
}
