import { randomBytes } from 'node:crypto';
import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import {
  chunkName,
  createPartName,
  createRecordingId,
  indexName,
  type PartAddress,
} from '@porthole/shared/recording/names';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { createPartWriter, type PartWriter } from '@porthole/shared/recording/write/part-writer';

export const recordingKey = 'r'.repeat(40);
export const recordingKeys = () => [recordingKey];

export const someFacts: PartFacts = {
  kind: 'screen',
  session: 'session-1',
  user: 'local:anna',
  displayName: 'Anna Example',
  machine: { cluster: 'school', node: 'pve1', vmid: 101, name: 'lab-anna', type: 'qemu' },
  mode: 'control',
  relay: 'relay-0',
  keys: false,
  clipboard: false,
};

export interface RecordedPart {
  /** Writes the part. `at` sets the time in milliseconds since the part began; it flushes every five seconds. */
  readonly write: (writer: PartWriter, at: (ms: number) => void) => void;
  /** Milliseconds from the start of the recording to that of the part. Default: 0. */
  readonly startsAfterMs?: number;
  /** Default: closed. `null`: the relay was killed, so there is no end. */
  readonly end?: string | null;
  readonly ordinal?: number;
}

const flushMs = 5000;

/** Writes a recording with the writer that relays use, into any storage. Answers its parts. */
export async function writeRecording(
  storage: Pick<RecordingStorage, 'put'>,
  {
    facts = {},
    startedAt,
    parts,
  }: {
    readonly facts?: Partial<PartFacts>;
    readonly startedAt: number;
    readonly parts: readonly RecordedPart[];
  },
): Promise<readonly PartAddress[]> {
  const recording = createRecordingId(startedAt, randomBytes);
  const addresses: PartAddress[] = [];
  for (const [index, given] of parts.entries()) {
    const address = { recording, part: createPartName(given.ordinal ?? index + 1, randomBytes) };
    addresses.push(address);
    const objects = new Map<string, Buffer[]>();
    let now = 0;
    const writer = createPartWriter(
      {
        keys: recordingKeys,
        random: randomBytes,
        monotonicMs: () => now,
        wallMs: () => startedAt + (given.startsAfterMs ?? 0) + now,
        sink: {
          append(chunk, pieces) {
            const name = chunkName(address, chunk);
            objects.set(name, [...(objects.get(name) ?? []), ...pieces]);
          },
        },
      },
      address,
      { ...someFacts, ...facts },
    );
    // As a relay, which writes it when a part begins, and when a chunk or the part has ended.
    let stored = writer.index();
    const flush = () => {
      writer.flush();
      if (writer.indexIsStale()) stored = writer.index();
    };
    given.write(writer, (ms) => {
      for (let next = (Math.floor(now / flushMs) + 1) * flushMs; next < ms; next += flushMs) {
        now = next;
        flush();
      }
      now = ms;
    });
    if (given.end !== null) writer.end(given.end ?? 'closed');
    flush();
    for (const [name, pieces] of objects) await storage.put(name, Buffer.concat(pieces));
    await storage.put(indexName(address), stored);
  }
  return addresses;
}

/** A part of a terminal: lines of a shell, one per second. */
export const terminalPart =
  (lines: readonly string[]): RecordedPart['write'] =>
  (writer, at) => {
    writer.record({ type: 'terminal', code: 'r', bytes: Buffer.from('80x24') });
    for (const [index, line] of lines.entries()) {
      at((index + 1) * 1000);
      writer.record({ type: 'key' });
      writer.terminalOutput(Buffer.from(`${line}\r\n`));
    }
  };
