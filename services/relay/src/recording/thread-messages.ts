import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import type { PartAddress } from '@porthole/shared/recording/names';
import type { StorageErrorCode } from '@porthole/shared/recording/storage/storage-error';
import type { SlabMemory } from './slab-memory.ts';
import type { SpoolState } from './spool.ts';

/** What the relay and its recording thread tell each other. */
export type ToRecorder =
  | {
      readonly type: 'begin';
      readonly part: number;
      readonly atMs: number;
      readonly recording: string | undefined;
      readonly ordinal: number;
      readonly facts: PartFacts;
      readonly secrets: RecordingSecrets;
    }
  /** The caller of `begin` does not wait any longer. */
  | { readonly type: 'abandon'; readonly part: number }
  /** Records of any parts wait in the slabs. `memory`: in this, too. */
  | { readonly type: 'records'; readonly memory: ArrayBuffer | undefined }
  /** The time. Sent while there are parts, also when nothing is recorded. */
  | { readonly type: 'time'; readonly atMs: number; readonly secrets: RecordingSecrets }
  | { readonly type: 'end'; readonly part: number; readonly atMs: number; readonly reason: string }
  | { readonly type: 'stop' };

export type FromRecorder =
  | { readonly type: 'started' }
  | { readonly type: 'begun'; readonly part: number; readonly address: PartAddress }
  | { readonly type: 'refused'; readonly part: number; readonly error: RefusedPart }
  /** What is recorded of this part from now on would be lost. */
  | { readonly type: 'full'; readonly part: number }
  /** See RecordPartOptions.onUnreadable. */
  | { readonly type: 'unreadable'; readonly part: number; readonly detail: string }
  | {
      readonly type: 'status';
      readonly state: SpoolState;
      readonly usage: { readonly memoryBytes: number; readonly diskBytes: number; readonly objects: number };
    }
  | { readonly type: 'lost'; readonly count: number }
  | {
      readonly type: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly facts: object;
      readonly text: string;
    }
  | { readonly type: 'failed'; readonly detail: string }
  | { readonly type: 'stopped' };

export interface RefusedPart {
  /** Undefined if it is not an error of the storage. */
  readonly code: StorageErrorCode | undefined;
  readonly detail: string;
}

/** Sent again and again, because files of secrets are replaced. */
export interface RecordingSecrets {
  readonly encryptionKeys: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly ca?: string;
}

/** A configuration without functions and URLs, which cannot be sent to a thread. */
export interface SentConfig {
  readonly directory: string | undefined;
  readonly s3:
    | {
        readonly endpoint: string | undefined;
        readonly region: string;
        readonly bucket: string;
        readonly prefix: string;
        readonly pathStyle: boolean;
        readonly hasCa: boolean;
      }
    | undefined;
  readonly spool: RecordingsConfig['spool'];
}

export interface RecorderThreadData {
  readonly config: SentConfig;
  readonly secrets: RecordingSecrets;
  readonly slabs: SlabMemory;
}

export function readSecrets({ encryptionKeys, storage: { s3 } }: RecordingsConfig): RecordingSecrets {
  return {
    encryptionKeys: encryptionKeys(),
    ...(s3 ? { accessKeyId: s3.accessKeyId(), secretAccessKey: s3.secretAccessKey() } : {}),
    ...(s3?.caFile ? { ca: s3.caFile() } : {}),
  };
}

export function toSentConfig({ storage: { directory, s3 }, spool }: RecordingsConfig): SentConfig {
  return {
    directory,
    s3: s3 && {
      endpoint: s3.endpoint?.href,
      region: s3.region,
      bucket: s3.bucket,
      prefix: s3.prefix,
      pathStyle: s3.pathStyle,
      hasCa: s3.caFile !== undefined,
    },
    spool,
  };
}

/** `secrets` answers the newest ones that were sent. */
export function fromSentConfig(
  { directory, s3, spool }: SentConfig,
  secrets: () => RecordingSecrets,
): RecordingsConfig {
  return {
    encryptionKeys: () => secrets().encryptionKeys,
    storage: {
      directory,
      s3: s3 && {
        endpoint: s3.endpoint === undefined ? undefined : new URL(s3.endpoint),
        region: s3.region,
        bucket: s3.bucket,
        prefix: s3.prefix,
        pathStyle: s3.pathStyle,
        accessKeyId: () => secrets().accessKeyId ?? '',
        secretAccessKey: () => secrets().secretAccessKey ?? '',
        caFile: s3.hasCa ? () => secrets().ca ?? '' : undefined,
      },
    },
    spool,
  };
}
