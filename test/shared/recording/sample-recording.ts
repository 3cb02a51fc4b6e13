import { randomBytes } from 'node:crypto';
import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import {
  chunkName,
  createPartName,
  createRecordingId,
  indexName,
  type PartAddress,
} from '@porthole/shared/recording/names';
import { readRecording, type RecordingItem } from '@porthole/shared/recording/read/read-recording';
import type { TimedRecord } from '@porthole/shared/recording/record/decode-records';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { StorageError } from '@porthole/shared/recording/storage/storage-error';
import {
  createPartWriter,
  type PartWriter,
  type PartWriterDeps,
} from '@porthole/shared/recording/write/part-writer';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';

export const recordingKeys = () => ['r'.repeat(40)];
export const startedAt = Date.UTC(2026, 0, 5, 8, 30);

export const facts: PartFacts = {
  kind: 'screen',
  session: 'session-1',
  user: 'anna',
  displayName: 'Anna Älter',
  machine: { cluster: 'lab', node: 'pve1', vmid: 101, name: 'debian', type: 'qemu' },
  mode: 'control',
  class: 'networks',
  rule: 'exams',
  relay: 'relay-0',
  keys: false,
  clipboard: false,
};

/** Objects in memory, which tests may alter. */
export function memoryStorage(objects = new Map<string, Buffer>()) {
  const storage: Pick<RecordingStorage, 'get' | 'list' | 'listGroups'> = {
    async get(name, { maxBytes } = {}) {
      const found = objects.get(name);
      if (!found) throw new StorageError('not_found', 'memory');
      return Buffer.from(found.subarray(0, maxBytes));
    },
    async *list(prefix) {
      for (const name of [...objects.keys()].sort())
        if (name.startsWith(prefix))
          yield { name, size: objects.get(name)?.length ?? 0, modifiedMs: startedAt };
    },
    async *listGroups(prefix) {
      const groups = [...objects.keys()].filter((name) => name.startsWith(prefix));
      yield* new Set(groups.map((name) => name.slice(0, name.indexOf('/', prefix.length))));
    },
  };
  return { objects, storage };
}

export interface SampleClock {
  monotonicMs: number;
  wallMs: number;
}

export const newAddress = (ordinal = 1): PartAddress => ({
  recording: createRecordingId(startedAt, randomBytes),
  part: createPartName(ordinal, randomBytes),
});

/** A writer whose objects are in `objects`. */
export function sampleWriter(
  objects: Map<string, Buffer>,
  address = newAddress(),
  clock: SampleClock = { monotonicMs: 5000, wallMs: startedAt },
  settings: Pick<PartWriterDeps, 'endAtFlushBytes'> = {},
): { writer: PartWriter; clock: SampleClock; address: PartAddress; finish(reason?: string): void } {
  const writer = createPartWriter(
    {
      ...settings,
      keys: recordingKeys,
      random: randomBytes,
      monotonicMs: () => clock.monotonicMs,
      wallMs: () => clock.wallMs,
      sink: {
        append(chunk, pieces) {
          const name = chunkName(address, chunk);
          objects.set(name, Buffer.concat([objects.get(name) ?? Buffer.alloc(0), ...pieces]));
        },
      },
    },
    address,
    facts,
  );
  return {
    writer,
    clock,
    address,
    finish(reason = 'closed') {
      writer.end(reason);
      objects.set(indexName(address), writer.index());
    },
  };
}

export async function readAll(
  objects: Map<string, Buffer>,
  recording: string,
  keys = recordingKeys,
  { storage } = memoryStorage(objects),
): Promise<RecordingItem[]> {
  const items: RecordingItem[] = [];
  for await (const item of readRecording({ storage, keys }, recording)) items.push(item);
  return items;
}

export const recordsOf = (items: readonly RecordingItem[]): readonly TimedRecord[] =>
  items.flatMap((item) => (item.kind === 'chunk' ? item.records : []));

export const problemsOf = (items: readonly RecordingItem[]) =>
  items.flatMap((item) => (item.kind === 'problem' ? [item.problem] : []));

/** Records that a caller wrote: without clocks, `about` and `end`, and with the pieces of a byte stream joined. */
export function contentOf(items: readonly RecordingItem[]): RecordingRecord[] {
  const content: RecordingRecord[] = [];
  let stream: Uint8Array[] = [];
  const joinStream = () => {
    const last = content.at(-1);
    if (stream.length > 0 && last && 'bytes' in last)
      content[content.length - 1] = { ...last, bytes: new Uint8Array(Buffer.concat(stream)) };
    stream = [];
  };
  for (const { record } of recordsOf(items)) {
    if (record.type === 'clock' || record.type === 'about' || record.type === 'end') continue;
    const isStream = record.type === 'screen' || (record.type === 'terminal' && record.code === 'o');
    if (!isStream || streamOf(content.at(-1)) !== streamOf(record)) {
      joinStream();
      content.push('bytes' in record ? { ...record, bytes: new Uint8Array(record.bytes) } : record);
    }
    if (isStream) stream.push(record.bytes);
  }
  joinStream();
  return content;
}

const streamOf = (record: RecordingRecord | undefined) =>
  record && 'code' in record ? `${record.type} ${record.code}` : record?.type;
