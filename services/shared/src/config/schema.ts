import { z } from 'zod';
import { logLevels } from '../telemetry/log.ts';
import { accessDocument } from './access-schema.ts';
import type { Secret } from './secret.ts';
import { signInSchema } from './sign-in-schema.ts';

/**
 * The whole configuration. Secrets arrive here already resolved to functions (read.ts turns `secret` and
 * `secretFile` into one), so this schema says what is allowed and nothing about where it came from.
 */
const secret = z.custom<Secret>(
  (value) => typeof value === 'function',
  'must be a text, or use the …File variant',
);

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/, 'must be host:port, such as "0.0.0.0:8080" or ":8080"')
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
    return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'the port must be at most 65535');

/** Values from the environment are texts. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([z.array(item).min(1), item.transform((value) => [value])]);

const httpsUrl = z
  .url({ protocol: /^https$/, error: 'must be an https:// URL' })
  .transform((text) => new URL(text));
const webUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

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
    context.addIssue({ code: 'custom', message: 'needs either token and secret, or username and password' });
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
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be small letters, digits and dashes')
      .default('proxmox'),
    /** Entry points: any nodes of the cluster. */
    urls: oneOrMore(httpsUrl),
    /** The addresses of nodes, where Proxmox's own answer (cluster/status) is not reachable from here. */
    nodes: z.record(z.string(), httpsUrl).default({}),
    credential,
    /** Least privilege: a credential for each service instead of `credential`. */
    brokerCredential: credential.optional(),
    relayCredential: credential.optional(),
    tls: z
      .strictObject({
        caFile: secret.optional(),
        fingerprints: oneOrMore(fingerprint).optional(),
        insecureSkipVerify: flag.default(false),
        /** Also offers a key exchange that future quantum computers don't break, where Proxmox knows it (PVE 9). */
        postQuantum: flag.optional(),
      })
      .refine((tls) => !(tls.caFile && tls.fingerprints), 'give caFile or fingerprints, not both')
      .default({ insecureSkipVerify: false }),
    /** Console openings at one node at the same time. pvedaemon has 3 workers. */
    opensPerNode: z.number().int().min(1).max(100).default(3),
    /** Also offers the shells of the nodes, to whom a rule of `types: [node]` gives them. */
    nodeShells: flag.default(false),
  })
  .readonly();

const tracing = z.strictObject({
  /** An OpenTelemetry collector; traces go to /v1/traces below it. */
  endpoint: webUrl.transform((text) => new URL(text)).optional(),
  /** Which part of all traces is recorded. */
  sampleRatio: z.coerce.number().min(0).max(1).default(1),
});

/** `host:port` of something that is dialled; without the port, the usual one. */
const peerAddress = (usualPort: number) =>
  z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s/]+)(:\d{1,5})?$/, 'must be host:port')
    .transform((text) => {
      const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? usualPort) };
    })
    .refine(({ port }) => port >= 1 && port <= 65_535, 'the port must be 1 to 65535');

const redis = z
  .strictObject({
    url: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' }).optional(),
    /** Servers that watch over a group of Redis servers and say which one leads. */
    sentinel: z
      .strictObject({
        /** What the sentinels call the group. */
        name: z.string().min(1),
        nodes: oneOrMore(peerAddress(26_379)),
        username: z.string().min(1).optional(),
        password: secret.optional(),
        db: z.number().int().min(0).max(65_535).default(0),
      })
      .optional(),
    /** Some of the nodes of a Redis Cluster; they know the others. */
    cluster: z.strictObject({ nodes: oneOrMore(peerAddress(6379)) }).optional(),
    username: z.string().min(1).optional(),
    password: secret.optional(),
    /** TLS for Sentinel and Cluster; a URL says so itself. */
    tls: flag.default(false),
    caFile: secret.optional(),
    certFile: secret.optional(),
    keyFile: secret.optional(),
    /** The name that the certificates carry, where it is not the one that is dialled. */
    serverName: z.string().min(1).optional(),
  })
  .superRefine((given, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const ways = (['url', 'sentinel', 'cluster'] as const).filter((way) => given[way] !== undefined);
    if (ways.length === 0) fault('url', 'name url, sentinel or cluster');
    if (ways.length > 1) fault(ways[1] ?? 'url', `give one of ${ways.join(', ')}, not several`);
    const tls = given.url === undefined ? given.tls : given.url.startsWith('rediss:');
    const how = given.url === undefined ? 'tls: true' : 'rediss:// in the URL';
    for (const name of ['caFile', 'certFile', 'serverName'] as const)
      if (given[name] !== undefined && !tls) fault(name, `is of no use without TLS: ${how}`);
    if ((given.certFile === undefined) !== (given.keyFile === undefined))
      fault(given.certFile ? 'keyFile' : 'certFile', 'certFile and keyFile need each other');
    if (given.url !== undefined && given.tls && !tls) fault('tls', 'write rediss:// in the URL instead');
  });

/** A timer of Node holds 24 days at most, and fires at once beyond them. */
const seconds = z
  .number()
  .int()
  .positive()
  .max(7 * 86_400, 'must be at most a week, 604800');

const limits = z
  .strictObject({
    /** Seconds that one console may last. */
    sessionSeconds: seconds.default(12 * 3600),
    /** Seconds without key, pointer or paste. */
    idleSeconds: seconds.default(2 * 3600),
    /** Seconds that somebody gets who asks for more time, when `maxSessionSeconds` allows that. */
    extendSeconds: seconds.default(1800),
    /** Seconds that one console may last with all extensions. Without it there are none. */
    maxSessionSeconds: seconds.optional(),
    consolesPerUser: z.number().int().positive().default(20),
    consolesPerMachine: z.number().int().positive().max(32, 'QEMU takes 32 viewers at most').default(10),
    consolesPerRelay: z.number().int().positive().default(1000),
    /** People that may wait for one relay to open their console. */
    queuedPerRelay: z.number().int().positive().default(500),
    /** Seconds that somebody waits for a console slot. */
    queueSeconds: seconds.default(60),
    /** Sign-in tries per minute of one user name. */
    signInsPerMinute: z.number().int().positive().default(20),
    /** Sign-in tries per minute of one address. Classes that begin at the same time may sit behind one address. */
    signInsPerAddressPerMinute: z.number().int().positive().default(240),
    /** Grants per minute of one user. */
    grantsPerMinute: z.number().int().positive().default(60),
    /** WebSocket upgrades per minute from one address. A school may sit behind one address. */
    upgradesPerMinute: z.number().int().positive().default(1200),
    /** Seconds over which a relay that leaves spreads the farewell to its consoles. */
    drainSeconds: z.number().int().min(0).max(600, 'must be at most ten minutes, 600').default(10),
  })
  .refine(({ sessionSeconds, maxSessionSeconds = sessionSeconds }) => maxSessionSeconds >= sessionSeconds, {
    path: ['maxSessionSeconds'],
    error: 'must be at least sessionSeconds',
  });

/** What the brokers may do with the cluster that they run in. Left out, nobody asks Kubernetes anything. */
const kubernetes = z.strictObject({
  /** Where relays and brokers run. Default: the namespace of the pod. */
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace')
    .optional(),
  /** The Lease by which the brokers choose the one that acts. */
  leaseName: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be the name of a Lease')
    .default('porthole-broker'),
  /** Labels of the relays' pods. */
  relaySelector: z
    .string()
    .regex(/^[^=,\s]+=[^=,\s]*(,[^=,\s]+=[^=,\s]*)*$/, 'must be labels, such as "a=b,c=d"')
    .default('app.kubernetes.io/name=porthole,app.kubernetes.io/component=relay'),
});

const audit = z
  .strictObject({
    to: z.enum(['stdout', 'file', 'none']).default('stdout'),
    /** The file to which lines are appended. */
    file: z.string().min(1).optional(),
  })
  .refine(({ to, file }) => (to === 'file') === (file !== undefined), {
    path: ['file'],
    error: 'is needed with "to: file", and with nothing else',
  });

export const configSchema = z
  .strictObject({
    publicUrl: webUrl.default('http://localhost:8080').transform((text) => new URL(text)),
    relayUrl: z
      .url({ protocol: /^(wss?|https?)$/, error: 'must be a wss:// URL' })
      .transform((text) => new URL(text.replace(/^http/i, 'ws')))
      .optional(),
    /** Other origins whose pages may open consoles; the public URL's own always may. */
    allowedOrigins: z.array(webUrl.transform((text) => new URL(text).origin)).default([]),
    listen: address.default({ host: '0.0.0.0', port: 8080 }),
    operationsListen: address.default({ host: '0.0.0.0', port: 9090 }),
    trustedProxies: z.coerce.number().int().min(0).max(10).default(0),
    logLevel: z.enum(logLevels).default('info'),
    /** This process among its like, in the store and in lists of consoles; the pod's name on Kubernetes. */
    instance: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$/, 'must be up to 63 letters, digits, dots and dashes')
      .optional(),
    kubernetes: kubernetes.optional(),
    grantKeys: secret.optional(),
    redis: redis.optional(),
    tracing: tracing.prefault({}),
    clusters: z.array(cluster).min(1, 'name at least one Proxmox cluster'),
    signIn: signInSchema,
    /** Sites whose pages may show consoles in a frame of theirs. */
    frameAncestors: z.array(webUrl.transform((text) => new URL(text).origin)).default([]),
    ...accessDocument.shape,
    /** A file with `access` and `classes`, instead of them here. */
    accessFile: secret.optional(),
    limits: limits.prefault({}),
    audit: audit.prefault({}),
    /** Whether people read who ended their console. */
    showOperatorName: flag.default(true),
  })
  // Also looked at when something else is wrong, so that all faults come at once: parts may be missing then.
  .superRefine(
    (config: Partial<CrossChecked>, context) => {
      const names = Array.isArray(config.clusters) ? config.clusters.map((one) => one?.name) : [];
      const given = names.filter((name) => name !== undefined);
      if (new Set(given).size < given.length)
        context.addIssue({ code: 'custom', path: ['clusters'], message: 'two clusters have the same name' });
      if (config.accessFile && (config.access ?? config.classes))
        context.addIssue({
          code: 'custom',
          path: ['accessFile'],
          message: 'holds all rules: give accessFile, or access and classes, not both',
        });
      if (config.redis && !config.grantKeys)
        context.addIssue({
          code: 'custom',
          path: ['grantKeys'],
          message: 'is needed with Redis: broker and relay share it',
        });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );

/** What is looked at together. */
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
