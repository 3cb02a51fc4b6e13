import type { z } from 'zod';
import type { SealKeys } from '../../crypto/seal.ts';
import { parseJson } from '../../parse-json.ts';
import {
  maxIndexSegmentBytes,
  partDetails,
  partSummary,
  summaryReadBytes,
  type PartDetails,
  type PartSummary,
} from '../index/part-index.ts';
import { maxObjectBytes } from '../limits.ts';
import { indexName, type PartAddress } from '../names.ts';
import type { RecordingStorage } from '../storage/port.ts';
import { StorageError } from '../storage/storage-error.ts';
import { openObject } from './open-object.ts';
import type { RecordingProblem } from './problem.ts';

export interface ReadDeps {
  readonly storage: Pick<RecordingStorage, 'get' | 'list' | 'listGroups'>;
  readonly keys: SealKeys;
}

export type ReadIndex<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: RecordingProblem };

export interface PartIndex {
  readonly summary: PartSummary;
  readonly details: PartDetails;
  /** SHA-256 of the last finished chunk. */
  readonly lastHash: Uint8Array;
}

/** Reads what a list shows of a part: a few KiB. Rejects with StorageError if the storage does not answer. */
export async function readSummary(
  deps: ReadDeps,
  address: PartAddress,
  signal?: AbortSignal,
): Promise<ReadIndex<PartSummary>> {
  const begin = await getIndex(deps, address, { maxBytes: summaryReadBytes, ...(signal ? { signal } : {}) });
  if (!begin) return { problem: { kind: 'missing_index', part: address.part } };
  const opened = openIndex(deps.keys, address, begin);
  const summary = parse(partSummary, opened.segments[0]);
  if (summary && summary.revision === opened.header?.number) return { value: summary };
  if (begin.length < summaryReadBytes) return { problem: problemOf(opened.problem, address) };
  const read = await readIndex(deps, address, signal);
  return read.value ? { value: read.value.summary } : read;
}

/** Reads the complete index of a part. */
export async function readIndex(
  deps: ReadDeps,
  address: PartAddress,
  signal?: AbortSignal,
): Promise<ReadIndex<PartIndex>> {
  const bytes = await getIndex(deps, address, { maxBytes: maxObjectBytes, ...(signal ? { signal } : {}) });
  if (!bytes) return { problem: { kind: 'missing_index', part: address.part } };
  const opened = openIndex(deps.keys, address, bytes);
  const summary = parse(partSummary, opened.segments[0]);
  const details = parse(partDetails, opened.segments[1]);
  const { header, problem } = opened;
  if (problem || !header || !summary || !details) return { problem: problemOf(problem, address) };
  if (summary.revision !== header.number || details.revision !== header.number)
    return { problem: problemOf(undefined, address) };
  return { value: { summary, details, lastHash: header.previousHash } };
}

const openIndex = (keys: SealKeys, address: PartAddress, bytes: Uint8Array) =>
  openObject(keys, { ...address, kind: 'index' }, bytes, maxIndexSegmentBytes);

const problemOf = (
  problem: ReturnType<typeof openObject>['problem'],
  { part }: PartAddress,
): RecordingProblem => ({ kind: problem === 'unknown_key' ? 'unknown_key' : 'damaged_index', part });

async function getIndex(
  { storage }: ReadDeps,
  address: PartAddress,
  options: { readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<Buffer | undefined> {
  try {
    return await storage.get(indexName(address), options);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function parse<T>(schema: z.ZodType<T>, plain: Buffer | undefined): T | undefined {
  const parsed = plain && schema.safeParse(parseJson(plain.toString('utf8')));
  return parsed?.success ? parsed.data : undefined;
}
