import type { z } from 'zod';
import type { RandomBytes } from '../crypto/random.ts';
import { seal, unseal, type SealContext, type SealKeys } from '../crypto/seal.ts';
import { decodeToken } from '../crypto/token.ts';
import { parseJson } from '../parse-json.ts';
import type { RecordStore } from './ports.ts';

/**
 * Typed records that are sealed (crypto/seal.ts) before they reach the store. Describe each type of record once, as
 * a constant of its module, and pass it to the functions below:
 *
 *     const embedCode = {
 *       purpose: 'porthole embed code v1',
 *       schema: embedFacts,
 *       locate: byToken(storeKeys.embedCode),
 *     } satisfies SealedRecordType<string, EmbedFacts>;
 *
 *     const token = createToken(random);
 *     await putSealed(deps, embedCode, token, facts, lifetimes.embedCode);
 *     const { value, problem } = await takeSealed(deps, embedCode, token);
 *
 * `deps` is `{ records, keys, random }`; each function asks only for the methods that it uses. Like every call to the
 * store, they reject with `store_unavailable` when the store does not answer. To seal something that is not stored,
 * such as a signal, use `sealRecord` and `openRecord`.
 */
export interface SealedRecordType<Id, T> {
  /** Separates the keys of different record types. Contains a version, such as "porthole grant v1". */
  readonly purpose: string;
  /** Checks what was opened. It must accept what JSON makes of a `T`, so it must not transform. */
  readonly schema: z.ZodType<T>;
  /** Where the record is stored, and the salt of its key. Undefined when the id is malformed. */
  readonly locate: (id: Id) => RecordLocation | undefined;
}

export type RecordLocation = Pick<SealContext, 'token' | 'storeKey'>;

/** Locates records by a bearer token (crypto/token.ts). Only the bearer of the token and the services can open them. */
export function byToken(storeKey: (token: Buffer) => string) {
  return (text: string): RecordLocation | undefined => {
    const token = decodeToken(text);
    return token && { token, storeKey: storeKey(token) };
  };
}

/**
 * Locates records by a digest in hexadecimal. The salt is then the digest, which is public, so that every service can
 * open the record without a token.
 */
export function byDigest(storeKey: (digest: string) => string) {
  return (digest: string): RecordLocation => ({
    token: Buffer.from(digest, 'hex'),
    storeKey: storeKey(digest),
  });
}

/**
 * Why there is no value: the id is malformed, the store has no such record, no key opens it (forged, altered, moved
 * or sealed with a removed key), or it does not match the schema (written by another version).
 */
export type RecordProblem = 'malformed_id' | 'not_found' | 'not_authentic' | 'invalid';

export type OpenedRecord<T> =
  | {
      readonly value: T;
      readonly problem?: undefined;
      /** As stored, for `replaceSealed` and `removeSealed`. */ readonly sealed: string;
    }
  | { readonly value?: undefined; readonly problem: RecordProblem };

interface SealDeps {
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}

interface ReadDeps<Method extends keyof RecordStore> {
  readonly records: Pick<RecordStore, Method>;
  readonly keys: SealKeys;
}

interface WriteDeps<Method extends keyof RecordStore> extends ReadDeps<Method> {
  readonly random: RandomBytes;
}

/** Throws when the id is malformed. */
export function sealRecord<Id, T>(deps: SealDeps, type: SealedRecordType<Id, T>, id: Id, value: T): string {
  return seal(deps.keys, deps.random, contextOf(type, id), JSON.stringify(value));
}

export function openRecord<Id, T>(
  keys: SealKeys,
  type: SealedRecordType<Id, T>,
  id: Id,
  sealed: string | undefined,
): OpenedRecord<T> {
  const location = type.locate(id);
  if (!location) return { problem: 'malformed_id' };
  if (sealed === undefined) return { problem: 'not_found' };
  const plain = unseal(keys, { ...location, purpose: type.purpose }, sealed);
  if (plain === undefined) return { problem: 'not_authentic' };
  const parsed = type.schema.safeParse(parseJson(plain));
  return parsed.success ? { value: parsed.data, sealed } : { problem: 'invalid' };
}

/** Writes or overwrites the record; it expires after `ttlMs`. Answers the sealed text. */
export async function putSealed<Id, T>(
  deps: WriteDeps<'put'>,
  type: SealedRecordType<Id, T>,
  id: Id,
  value: T,
  ttlMs: number,
): Promise<string> {
  const sealed = sealRecord(deps, type, id, value);
  await deps.records.put(contextOf(type, id).storeKey, sealed, ttlMs);
  return sealed;
}

/** Writes the record only if the store has none, in one atomic step. Answers the sealed text, or undefined. */
export async function addSealed<Id, T>(
  deps: WriteDeps<'add'>,
  type: SealedRecordType<Id, T>,
  id: Id,
  value: T,
  ttlMs: number,
): Promise<string | undefined> {
  const sealed = sealRecord(deps, type, id, value);
  return (await deps.records.add(contextOf(type, id).storeKey, sealed, ttlMs)) ? sealed : undefined;
}

export async function getSealed<Id, T>(
  deps: ReadDeps<'get'>,
  type: SealedRecordType<Id, T>,
  id: Id,
): Promise<OpenedRecord<T>> {
  const location = type.locate(id);
  return openRecord(deps.keys, type, id, location && (await deps.records.get(location.storeKey)));
}

/** Reads and deletes the record in one atomic step. */
export async function takeSealed<Id, T>(
  deps: ReadDeps<'take'>,
  type: SealedRecordType<Id, T>,
  id: Id,
): Promise<OpenedRecord<T>> {
  const location = type.locate(id);
  return openRecord(deps.keys, type, id, location && (await deps.records.take(location.storeKey)));
}

/**
 * Writes the record only if the store still has the sealed text `expected`, in one atomic step. Answers the new sealed
 * text, or undefined when the record was changed, deleted or has expired.
 */
export async function replaceSealed<Id, T>(
  deps: WriteDeps<'replace'>,
  type: SealedRecordType<Id, T>,
  id: Id,
  expected: string,
  value: T,
  ttlMs: number,
): Promise<string | undefined> {
  const sealed = sealRecord(deps, type, id, value);
  const replaced = await deps.records.replace(contextOf(type, id).storeKey, expected, sealed, ttlMs);
  return replaced ? sealed : undefined;
}

/** Deletes the record only if the store still has the sealed text `expected`, in one atomic step. */
export async function removeSealed<Id, T>(
  records: Pick<RecordStore, 'remove'>,
  type: SealedRecordType<Id, T>,
  id: Id,
  expected: string,
): Promise<boolean> {
  return records.remove(contextOf(type, id).storeKey, expected);
}

/** Deletes the record, if there is one. */
export async function deleteSealed<Id, T>(
  records: Pick<RecordStore, 'delete'>,
  type: SealedRecordType<Id, T>,
  id: Id,
): Promise<void> {
  const location = type.locate(id);
  if (location) await records.delete(location.storeKey);
}

function contextOf<Id, T>({ purpose, locate }: SealedRecordType<Id, T>, id: Id): SealContext {
  const location = locate(id);
  if (!location) throw new Error(`A malformed id cannot locate a record of "${purpose}".`);
  return { ...location, purpose };
}
