import { z } from 'zod';
import { logLevels } from '../telemetry/log.ts';
import { accessDocument } from './access-schema.ts';
import { flag, oneOrMore, originUrl, publicUrl, seconds, secondsOrNever, secret } from './fields.ts';
import { recordings } from './recordings-schema.ts';
import { ltiSchema } from './lti-schema.ts';
import { redis } from './redis-schema.ts';
import { signInSchema } from './sign-in-schema.ts';

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/, 'must be host:port such as "0.0.0.0:8080" or ":8080"')
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
    return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'the port must be at most 65535');

const httpsUrl = originUrl('https');

const credential = z
  .strictObject({
    token: z
      .string()
      .regex(/^[^\s!:/]+@[\w.-]+![\w.-]+$/, 'must be user@realm!name')
      .optional(),
    secret: secret.optional(),
    username: z
      .string()
      .regex(/^[^\s!:/]+@[\w.-]+$/, 'must be user@realm')
      .optional(),
    password: secret.optional(),
  })
  .transform((given, context) => {
    if (given.token !== undefined && given.secret !== undefined && given.username === undefined)
      return { kind: 'token' as const, token: given.token, secret: given.secret };
    if (given.username !== undefined && given.password !== undefined && given.token === undefined)
      return { kind: 'password' as const, username: given.username, password: given.password };
    context.addIssue({
      code: 'custom',
      message: 'specify either token and secret, or username and password',
    });
    return z.NEVER;
  });

const fingerprint = z
  .string()
  .regex(/^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}$/, 'must be a SHA-256 fingerprint, AA:BB:… (32 bytes)')
  .transform((text) => text.toUpperCase());

const cluster = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must consist of lowercase letters, digits and dashes')
      .default('proxmox'),
    /** URLs of one or more nodes of the cluster. */
    urls: oneOrMore(httpsUrl),
    /** URLs of nodes whose addresses in Proxmox (cluster/status) are not reachable from Porthole. */
    nodes: z.record(z.string(), httpsUrl).default({}),
    credential,
    /** Separate credentials with fewer privileges. Each overrides `credential` for its service. */
    brokerCredential: credential.optional(),
    relayCredential: credential.optional(),
    tls: z
      .strictObject({
        caFile: secret.optional(),
        fingerprints: oneOrMore(fingerprint).optional(),
        insecureSkipVerify: flag.default(false),
        /** Also offers a post-quantum key exchange, which PVE 9 supports. */
        postQuantum: flag.optional(),
      })
      .refine((tls) => !(tls.caFile && tls.fingerprints), 'specify caFile or fingerprints, not both')
      .default({ insecureSkipVerify: false }),
    /** Maximum concurrent console openings per node. pvedaemon has 3 workers. */
    opensPerNode: z.number().int().min(1).max(100).default(3),
    /** Whether nodes are machines whose shell can be opened. Access rules must list `types: [node]`. */
    nodeShells: flag.default(false),
  })
  .readonly();

const tracing = z.strictObject({
  /** URL of an OpenTelemetry collector. Traces are sent to /v1/traces below it. */
  endpoint: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    .transform((text) => new URL(text))
    .optional(),
  /** Fraction of traces to record. */
  sampleRatio: z.coerce.number().min(0).max(1).default(1),
});

const limits = z
  .strictObject({
    /** Maximum duration of a session, in seconds. */
    sessionSeconds: seconds.default(12 * 3600),
    /** Maximum time without key, pointer or paste, in seconds. */
    idleSeconds: seconds.default(2 * 3600),
    /** Seconds that one extension adds, if `maxSessionSeconds` allows extensions. */
    extendSeconds: seconds.default(1800),
    /** Maximum duration of a session with all extensions, in seconds. Default: no extensions. */
    maxSessionSeconds: seconds.optional(),
    /** How long a page may be hidden until its view-only screen is parked, in seconds. 0: never. */
    parkViewSeconds: secondsOrNever.default(300),
    /** The same for a screen with keyboard and mouse. */
    parkControlSeconds: secondsOrNever.default(900),
    consolesPerUser: z.number().int().positive().default(20),
    consolesPerMachine: z
      .number()
      .int()
      .positive()
      .max(32, 'must be at most 32, the limit of QEMU')
      .default(10),
    consolesPerRelay: z.number().int().positive().default(1000),
    /** Maximum walls of one relay: open pages of classes. */
    wallsPerRelay: z.number().int().positive().default(100),
    /** Maximum sessions in the queue of one relay. */
    queuedPerRelay: z.number().int().positive().default(500),
    /** Maximum time in a queue for a console slot that does not move, in seconds. */
    queueSeconds: seconds.default(60),
    /** Maximum sign-in attempts per minute and user name. */
    signInsPerMinute: z.number().int().positive().default(20),
    /** Maximum sign-in attempts per minute and address. A whole class may share one address. */
    signInsPerAddressPerMinute: z.number().int().positive().default(240),
    /** Maximum grants per minute and user, without those that return to a session. */
    grantsPerMinute: z.number().int().positive().default(60),
    /** Maximum WebSocket upgrades per minute and address. A school may share one address. */
    upgradesPerMinute: z.number().int().positive().default(1200),
    /** Maximum HTTP connections of one pod, without consoles. */
    httpConnections: z.number().int().positive().default(10_000),
    /** Period over which a draining relay closes its sessions, in seconds. */
    drainSeconds: z.number().int().min(0).max(600, 'must be at most 600 (ten minutes)').default(10),
  })
  .refine(({ sessionSeconds, maxSessionSeconds = sessionSeconds }) => maxSessionSeconds >= sessionSeconds, {
    path: ['maxSessionSeconds'],
    error: 'must be at least sessionSeconds',
  });

/** One console per machine for all of its viewers, and the connections between relays for that. */
const sharing = z.strictObject({
  /** Whether viewers of one machine share its console. */
  enabled: flag.default(true),
  /** Maximum shared screens of one relay. */
  screens: z.number().int().positive().default(100),
  viewersPerScreen: z.number().int().positive().default(64),
  /** Maximum size of all framebuffers of one relay, in million pixels. */
  megapixels: z.number().positive().default(400),
  /** Memory of each worker for encoded parts of pictures. */
  tileCacheMiB: z.number().int().min(0).default(64),
  /** Threads that decode and encode pictures. */
  workers: z.number().int().min(1).max(2, 'must be 1 or 2').default(1),
  /** How long a lost console is opened again before its viewers end, in seconds. */
  healSeconds: seconds.default(120),
  /** Where other relays reach the internal listener of this one. Default: they do not, and there is no listener. */
  internalAddress: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s/@[\]]+):[1-9]\d{0,4}$/, 'must be host:port such as "10.0.0.5:8081"')
    // On Kubernetes, the address of a pod comes without brackets, IPv6 as well.
    .transform((text) => {
      const colon = text.lastIndexOf(':');
      const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
      return `${host.includes(':') ? `[${host}]` : host}${text.slice(colon)}`;
    })
    .refine((text) => URL.canParse(`wss://${text}`), 'must be an address and a port of at most 65535')
    .optional(),
  internalListen: address.default({ host: '0.0.0.0', port: 8081 }),
});

/** Access of the brokers to their Kubernetes cluster. Default: no access. */
const kubernetes = z.strictObject({
  /** Namespace of relays and brokers. Default: the namespace of the pod. */
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace name')
    .optional(),
  /** Lease for the leader election of the brokers. */
  leaseName: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be a Lease name')
    .default('porthole-broker'),
  /** Label selector of the relay pods. */
  relaySelector: z
    .string()
    .regex(/^[^=,\s]+=[^=,\s]*(,[^=,\s]+=[^=,\s]*)*$/, 'must be labels such as "a=b,c=d"')
    .default('app.kubernetes.io/name=porthole,app.kubernetes.io/component=relay'),
});

const audit = z
  .strictObject({
    to: z.enum(['stdout', 'file', 'none']).default('stdout'),
    /** File to append audit lines to. */
    file: z.string().min(1).optional(),
  })
  .refine(({ to, file }) => (to === 'file') === (file !== undefined), {
    path: ['file'],
    error: 'must be set if "to" is "file", and only then',
  });

/**
 * The configuration. read.ts has already replaced each secret, given as `secret` or `secretFile`, by a function, so this
 * schema validates settings regardless of where they come from.
 */
export const configSchema = z
  .strictObject({
    publicUrl: publicUrl.prefault('http://localhost:8080'),
    relayUrl: z
      .url({ protocol: /^(wss?|https?)$/, error: 'must be a wss:// URL' })
      .refine((text) => !/[?#@]/.test(text), 'must consist of scheme, host, port and path')
      .meta({ pattern: '^(wss?|https?)://[^/?#@\\s]+(/[^?#@\\s]*)?$' })
      .transform((text) => new URL(text.replace(/^http/i, 'ws')))
      .optional(),
    /** Additional origins whose pages may open consoles. The origin of `publicUrl` is always allowed. */
    allowedOrigins: z.array(originUrl('https?').transform(({ origin }) => origin)).default([]),
    listen: address.default({ host: '0.0.0.0', port: 8080 }),
    operationsListen: address.default({ host: '0.0.0.0', port: 9090 }),
    trustedProxies: z.coerce.number().int().min(0).max(10).default(0),
    logLevel: z.enum(logLevels).default('info'),
    /** Unique name of this process, in the store and in session lists. On Kubernetes, the pod name. */
    instance: z
      .string()
      .regex(
        /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$/,
        'must consist of up to 63 letters, digits, dots and dashes',
      )
      .optional(),
    kubernetes: kubernetes.optional(),
    grantKeys: secret.optional(),
    redis: redis.optional(),
    tracing: tracing.prefault({}),
    clusters: z.array(cluster).min(1, 'specify at least one Proxmox cluster'),
    signIn: signInSchema,
    lti: ltiSchema.optional(),
    /** Origins whose pages may embed consoles in a frame. */
    frameAncestors: z.array(originUrl('https?').transform(({ origin }) => origin)).default([]),
    ...accessDocument.shape,
    /** File with `access` and `classes`, instead of these settings. */
    accessFile: secret.optional(),
    limits: limits.prefault({}),
    sharing: sharing.prefault({}),
    recordings: recordings.optional(),
    audit: audit.prefault({}),
    /** Whether users see which operator ended their console. */
    showOperatorName: flag.default(true),
  })
  // Also runs if other settings are invalid, so that all issues are reported at once. Settings may be missing then.
  .superRefine(
    (config: Partial<CrossChecked>, context) => {
      const names = Array.isArray(config.clusters) ? config.clusters.map((one) => one?.name) : [];
      const given = names.filter((name) => name !== undefined);
      if (new Set(given).size < given.length)
        context.addIssue({ code: 'custom', path: ['clusters'], message: 'cluster names must be unique' });
      if (config.accessFile && (config.access ?? config.classes))
        context.addIssue({
          code: 'custom',
          path: ['accessFile'],
          message: 'specify either accessFile, or access and classes',
        });
      if (config.redis && !config.grantKeys)
        context.addIssue({
          code: 'custom',
          path: ['grantKeys'],
          message: 'is required with Redis: broker and relay share the keys',
        });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );

/** Settings that are checked against each other. */
interface CrossChecked {
  readonly clusters: readonly (Partial<{ readonly name: string }> | undefined)[];
  readonly redis: unknown;
  readonly access: unknown;
  readonly classes: unknown;
  readonly accessFile: unknown;
  readonly grantKeys: unknown;
}

export type Config = z.infer<typeof configSchema>;
export type ClusterConfig = Config['clusters'][number];
export type CredentialConfig = ClusterConfig['credential'];
export type Limits = Config['limits'];
export type RedisConfig = NonNullable<Config['redis']>;
