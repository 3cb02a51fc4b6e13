import { z } from 'zod';
import { flag, secret } from './fields.ts';
import type { Secret } from './secret.ts';

/** A secret that is required, as text or as a file, which JSON Schema cannot say. */
function required(value: Secret | undefined, name: string, context: z.RefinementCtx): Secret {
  if (value) return value;
  context.addIssue({ code: 'custom', path: [name], message: 'is required' });
  return z.NEVER;
}

const s3 = z
  .strictObject({
    /** URL of a storage that is compatible with S3. Default: Amazon S3 in the region. */
    endpoint: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .refine((text) => !/[?#@]/.test(text), 'must consist of scheme, host, port and path')
      .meta({ pattern: '^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$' })
      .transform((text) => new URL(text))
      .optional(),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, 'must be a region such as "eu-central-1"')
      .default('us-east-1'),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'),
    /** Begins the key of each object, if the bucket has others as well. */
    prefix: z
      .string()
      .regex(
        /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/,
        'must consist of plain names, each with a slash behind it',
      )
      .max(256)
      .default(''),
    /** Whether the bucket is in the path of URLs instead of the host name. */
    pathStyle: flag.default(true),
    accessKeyId: secret.optional(),
    secretAccessKey: secret.optional(),
    /** PEM file of the CA to trust instead of the public ones. */
    caFile: secret.optional(),
  })
  .transform((given, context) => ({
    ...given,
    accessKeyId: required(given.accessKeyId, 'accessKeyId', context),
    secretAccessKey: required(given.secretAccessKey, 'secretAccessKey', context),
  }));

/** Recording of consoles. Default: nothing is recorded. */
export const recordings = z
  .strictObject({
    /** Keys that encrypt recordings. The first one encrypts and all of them decrypt, so keep each as long as its recordings. */
    encryptionKeys: secret.optional(),
    storage: z
      .strictObject({
        /** A directory that all relays and brokers share. */
        directory: z.string().min(1).optional(),
        s3: s3.optional(),
      })
      .refine(({ directory, s3 }) => (directory === undefined) !== (s3 === undefined), {
        path: ['directory'],
        error: 'specify either directory or s3',
      }),
    /** Where a relay keeps what it has not stored yet. */
    spool: z
      .strictObject({
        /** A directory of this relay alone. Default: in memory. */
        directory: z.string().min(1).optional(),
        memoryMiB: z.number().int().min(1).max(65_536).default(64),
        diskMiB: z.number().int().min(1).max(16_777_216).default(1024),
        /**
         * Interval at which the data of each recording is written to the directory, or without one stored. With the default,
         * a killed relay loses less than five seconds.
         */
        flushSeconds: z.number().int().min(1).max(60).default(4),
        /** Longest time in a chunk, which is stored as a whole if there is a directory. */
        chunkSeconds: z.number().int().min(5).max(60).default(60),
        /** How long a relay that shuts down stores what is left, after its last console has ended. */
        drainSeconds: z.number().int().min(1).max(3600).default(10),
      })
      .prefault({}),
  })
  .transform((given, context) => ({
    ...given,
    encryptionKeys: required(given.encryptionKeys, 'encryptionKeys', context),
  }));

export type RecordingsConfig = z.infer<typeof recordings>;
