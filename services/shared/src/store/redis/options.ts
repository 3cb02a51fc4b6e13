/** Connection options of Redis. */
export type RedisOptions = StandaloneOptions | SentinelOptions | ClusterOptions;

interface CommonOptions {
  /** ACL user. Default: Redis's `default` user. */
  readonly username?: string;
  /** A function is called before each connection, so that the password can change without a restart. */
  readonly password?: string | (() => string | undefined);
}

/** PEM text. A function is called before each connection, so that the file can change without a restart. */
type Pem = string | (() => string);

export interface TlsOptions {
  /** Default: the certificate authorities that Node trusts. */
  readonly ca?: Pem;
  /** Client certificate and its key, if Redis requires them. */
  readonly cert?: Pem;
  readonly key?: Pem;
  /** Name in the server certificate, if it differs from the host name. */
  readonly servername?: string;
}

export interface StandaloneOptions extends CommonOptions {
  readonly mode: 'standalone';
  /** `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url: string;
  /** TLS details. `rediss://` in the URL enables TLS. */
  readonly tls?: TlsOptions;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface SentinelOptions extends CommonOptions {
  readonly mode: 'sentinel';
  readonly sentinels: readonly HostAndPort[];
  /** Name of the group of servers. */
  readonly name: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string | (() => string);
  readonly db?: number;
  /** TLS to the sentinels and to the servers. Default: no TLS. */
  readonly tls?: TlsOptions;
}

export interface ClusterOptions extends CommonOptions {
  readonly mode: 'cluster';
  /** One or more nodes. The others are discovered. */
  readonly nodes: readonly HostAndPort[];
  readonly tls?: TlsOptions;
}
