import { createCipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { threadCpuUsage } from 'node:process';
import { maxChunkBytes, maxSegmentBytes } from '@porthole/shared/recording/limits';
import { median } from './median.ts';

/** CPU seconds per gibibyte of what no recorder can leave out, measured alone and in one thread. */
export interface RecordingFloor {
  readonly copy: number;
  readonly encrypt: number;
  readonly hash: number;
  readonly write: number;
  readonly sync: number;
}

const rounds = 3;
/** Bytes of one read of a TLS connection. */
const readBytes = 16 * 1024;
/** About an object's header. */
const headerBytes = 275;

export function measureFloor(directory: string, measuredBytes: number): RecordingFloor {
  const source = randomBytes(maxChunkBytes);
  const perGib = (work: () => void) => {
    work(); // warm-up
    return median(
      Array.from({ length: rounds }, () => {
        const before = cpuSeconds();
        work();
        return ((cpuSeconds() - before) / measuredBytes) * 2 ** 30;
      }),
    );
  };
  const files = (sync: boolean) => () => {
    for (let at = 0; at < measuredBytes; at += source.length) {
      const path = join(directory, `floor-${at}`);
      const file = openSync(path, 'wx');
      writeSync(file, source);
      if (sync) fsyncSync(file);
      closeSync(file);
    }
    for (let at = 0; at < measuredBytes; at += source.length) rmSync(join(directory, `floor-${at}`));
  };
  const write = perGib(files(false));
  return {
    copy: perGib(() => copy(source, measuredBytes)),
    encrypt: perGib(() => encrypt(source, measuredBytes)),
    hash: perGib(() => hash(source, measuredBytes)),
    write,
    sync: perGib(files(true)) - write,
  };
}

function cpuSeconds(): number {
  const { user, system } = threadCpuUsage();
  return (user + system) / 1e6;
}

/** One copy, as from the memory of a connection into memory that two threads share. */
function copy(source: Buffer, measuredBytes: number): void {
  const target = Buffer.alloc(4 * maxChunkBytes);
  for (let at = 0; at < measuredBytes; at += readBytes)
    source.copy(target, at % target.length, at % source.length, (at % source.length) + readBytes);
}

/** Segments of the size and with the additional data of the format. */
function encrypt(source: Buffer, measuredBytes: number): void {
  const [key, nonce, header] = [createSecretKey(randomBytes(32)), randomBytes(12), randomBytes(headerBytes)];
  for (let at = 0; at < measuredBytes; at += maxSegmentBytes) {
    const from = at % source.length;
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(header);
    cipher.update(source.subarray(from, from + maxSegmentBytes));
    cipher.final();
    cipher.getAuthTag();
  }
}

/** The chain of chunks. */
function hash(source: Buffer, measuredBytes: number): void {
  for (let at = 0; at < measuredBytes; at += source.length) createHash('sha256').update(source).digest();
}

/** Beside the relay's own figures: which part of them no recorder can avoid here. */
export function reportFloor(
  floor: RecordingFloor,
  flows: readonly { readonly name: string; readonly plain: number; readonly recorded: number }[],
): readonly string[] {
  const total = Object.values(floor).reduce((sum, seconds) => sum + seconds, 0);
  const row = (name: string, seconds: number) => `| ${name} | ${seconds.toFixed(2)} |`;
  return [
    '| What no recorder can leave out, alone in one thread | CPU s per GiB |',
    '|---|--:|',
    row('one copy in memory', floor.copy),
    row('AES-256-GCM, in segments of the format', floor.encrypt),
    row('SHA-256, in chunks of the format', floor.hash),
    row('`write` into the directory, in chunks of the format', floor.write),
    row('`fsync` of these files', floor.sync),
    row('sum', total),
    '',
    '| Workload | Plain | Recorded | Least possible | Ratio of the least to plain |',
    '|---|--:|--:|--:|--:|',
    ...flows.map(
      ({ name, plain, recorded }) =>
        `| ${name} | ${plain.toFixed(2)} | ${recorded.toFixed(2)} | ${(plain + total).toFixed(2)} | ${((plain + total) / plain).toFixed(2)} |`,
    ),
    '',
  ];
}
