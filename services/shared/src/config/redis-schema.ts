import { z } from 'zod';
import { flag, oneOrMore, secret } from './fields.ts';

/** `host:port` of a server. The port is optional. */
const peerAddress = (defaultPort: number) =>
  z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s/]+)(:\d{1,5})?$/, 'must be host:port')
    .transform((text) => {
      const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
      return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? defaultPort) };
    })
    .refine(({ port }) => port >= 1 && port <= 65_535, 'the port must be from 1 to 65535');

/** Connection to Redis: a single server, Sentinel, or Cluster. */
export const redis = z
  .strictObject({
    url: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' }).optional(),
    /** Sentinels that monitor a group of Redis servers. */
    sentinel: z
      .strictObject({
        /** Name of the group. */
        name: z.string().min(1),
        nodes: oneOrMore(peerAddress(26_379)),
        username: z.string().min(1).optional(),
        password: secret.optional(),
        db: z.number().int().min(0).max(65_535).default(0),
      })
      .optional(),
    /** One or more nodes of a Redis Cluster. The others are discovered. */
    cluster: z.strictObject({ nodes: oneOrMore(peerAddress(6379)) }).optional(),
    username: z.string().min(1).optional(),
    password: secret.optional(),
    /** Enables TLS for Sentinel and Cluster. With a URL, use rediss://. */
    tls: flag.default(false),
    caFile: secret.optional(),
    certFile: secret.optional(),
    keyFile: secret.optional(),
    /** Name in the server certificates, if it differs from the host name. */
    serverName: z.string().min(1).optional(),
  })
  .superRefine((given, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const modes = (['url', 'sentinel', 'cluster'] as const).filter((mode) => given[mode] !== undefined);
    if (modes.length === 0) report('url', 'specify url, sentinel or cluster');
    if (modes.length > 1) report(modes[1] ?? 'url', `specify only one of ${modes.join(', ')}`);
    const tls = given.url === undefined ? given.tls : given.url.startsWith('rediss:');
    const how = given.url === undefined ? 'tls: true' : 'rediss:// in the URL';
    for (const name of ['caFile', 'certFile', 'serverName'] as const)
      if (given[name] !== undefined && !tls) report(name, `requires TLS: ${how}`);
    if ((given.certFile === undefined) !== (given.keyFile === undefined))
      report(given.certFile ? 'keyFile' : 'certFile', 'certFile and keyFile must be used together');
    if (given.url !== undefined && given.tls && !tls) report('tls', 'use rediss:// in the URL instead');
  });
