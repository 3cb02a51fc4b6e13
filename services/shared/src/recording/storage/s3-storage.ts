import { Agent } from 'node:https';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../time/clock.ts';
import { linkSignal } from '../../time/link-signal.ts';
import { onAbort } from '../../time/on-abort.ts';
import { assertObjectName, assertPrefix } from './object-names.ts';
import type {
  GetOptions,
  ListOptions,
  ObjectBytes,
  PutOptions,
  RecordingStorage,
  StoredObject,
} from './port.ts';
import { s3Error } from './s3-error.ts';
import { StorageError } from './storage-error.ts';

export interface S3Options {
  readonly endpoint?: URL | undefined;
  readonly region: string;
  readonly bucket: string;
  /** Begins the key of each object: empty, or ends with a slash. */
  readonly prefix: string;
  /** Whether the bucket is in the path of the URL instead of the host name. */
  readonly pathStyle: boolean;
  /** Read again for each request, so that a rotation needs no restart. */
  readonly accessKeyId: () => string;
  readonly secretAccessKey: () => string;
  /** CA to trust instead of the public ones. */
  readonly ca?: string;
}

const connectTimeoutMs = 5000;
/** Of one call with its retries. An object has at most some MiB. */
const callTimeoutMs = 30_000;
const maxConnections = 16;

/** Keeps objects in a bucket of S3 or a compatible storage. Import it lazily: it loads the AWS SDK. */
export function createS3Storage(
  options: S3Options,
  { clock, timeoutMs = callTimeoutMs }: { readonly clock: Clock; readonly timeoutMs?: number },
): RecordingStorage {
  const { bucket, prefix } = options;
  const client = new S3Client({
    ...(options.endpoint ? { endpoint: options.endpoint.href } : {}),
    region: options.region,
    forcePathStyle: options.pathStyle,
    credentials: async () => ({
      accessKeyId: options.accessKeyId(),
      secretAccessKey: options.secretAccessKey(),
      expiration: new Date(clock.now()),
    }),
    maxAttempts: 2,
    // Recordings have hashes of their own, and not every compatible storage knows these checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      httpAgent: { keepAlive: true, maxSockets: maxConnections },
      httpsAgent: new Agent({
        keepAlive: true,
        maxSockets: maxConnections,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      }),
    },
  });

  /** Runs one call within the deadline, and translates its errors. */
  async function call<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const own = linkSignal(signal);
    let late = false;
    const cancelTimer = clock.after(timeoutMs, () => {
      late = true;
      own.abort();
    });
    try {
      return await work(own.signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw late ? new StorageError('unavailable', `no answer within ${timeoutMs} ms`) : s3Error(error);
    } finally {
      cancelTimer();
      own.unlink();
    }
  }

  async function put(name: string, bytes: ObjectBytes, { signal }: PutOptions = {}): Promise<void> {
    assertObjectName(name);
    const body = bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes);
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: prefix + name,
      Body: body,
      ContentLength: body.length,
      ContentType: 'application/octet-stream',
    });
    await call(signal, (abortSignal) => client.send(command, { abortSignal }));
  }

  async function get(name: string, { maxBytes, signal }: GetOptions = {}): Promise<Buffer> {
    assertObjectName(name);
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: prefix + name,
      ...(maxBytes === undefined ? {} : { Range: `bytes=0-${maxBytes - 1}` }),
    });
    return call(signal, async (abortSignal) => {
      const { Body } = await client.send(command, { abortSignal });
      if (!Body) return Buffer.alloc(0);
      // The SDK follows the signal only until the answer begins.
      const stop = onAbort(abortSignal, () => (Body as { destroy?(): void }).destroy?.());
      try {
        return Buffer.from(await Body.transformToByteArray());
      } finally {
        stop();
      }
    });
  }

  async function* pages(
    below: string,
    delimiter: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterable<ListObjectsV2CommandOutput> {
    assertPrefix(below);
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix + below,
        ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await call(signal, (abortSignal) => client.send(command, { abortSignal }));
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async function* list(below: string, { signal }: ListOptions = {}): AsyncIterable<StoredObject> {
    for await (const { Contents = [] } of pages(below, undefined, signal)) {
      for (const { Key = '', Size = 0, LastModified } of Contents)
        yield { name: Key.slice(prefix.length), size: Size, modifiedMs: LastModified?.getTime() ?? 0 };
    }
  }

  async function* listGroups(below: string, { signal }: ListOptions = {}): AsyncIterable<string> {
    for await (const { CommonPrefixes = [] } of pages(below, '/', signal)) {
      for (const { Prefix = '' } of CommonPrefixes) yield Prefix.slice(prefix.length, -1);
    }
  }

  async function remove(name: string, signal?: AbortSignal): Promise<void> {
    assertObjectName(name);
    const command = new DeleteObjectCommand({ Bucket: bucket, Key: prefix + name });
    await call(signal, (abortSignal) => client.send(command, { abortSignal }));
  }

  return {
    put,
    get,
    list,
    listGroups,
    delete: remove,
    async close() {
      client.destroy();
    },
  };
}
