/** How to reach Redis. */
export type RedisOptions = StandaloneOptions | SentinelOptions | ClusterOptions;

interface CommonOptions {
  /** An ACL user; without it, Redis's own `default` user. */
  readonly username?: string;
  /** A function is asked before every connection, so a password can be changed without a restart. */
  readonly password?: string | (() => string | undefined);
}

/** Texts in PEM. A function is asked before every connection, so a file can be renewed without a restart. */
type Pem = string | (() => string);

export interface TlsOptions {
  /** Without it, the certificate authorities that Node trusts. */
  readonly ca?: Pem;
  /** Our own certificate and its key, where Redis asks for one. */
  readonly cert?: Pem;
  readonly key?: Pem;
  /** The name that the certificate must carry, when it is not the one that is dialled. */
  readonly servername?: string;
}

export interface StandaloneOptions extends CommonOptions {
  readonly mode: 'standalone';
  /** `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url: string;
  /** Details of TLS; `rediss://` alone says whether there is any. */
  readonly tls?: TlsOptions;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface SentinelOptions extends CommonOptions {
  readonly mode: 'sentinel';
  readonly sentinels: readonly HostAndPort[];
  /** What the sentinels call the group of servers. */
  readonly name: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string | (() => string);
  readonly db?: number;
  /** TLS to the sentinels and to the servers. Without it, none. */
  readonly tls?: TlsOptions;
}

export interface ClusterOptions extends CommonOptions {
  readonly mode: 'cluster';
  /** Some of the nodes; they know the others. */
  readonly nodes: readonly HostAndPort[];
  readonly tls?: TlsOptions;
}
