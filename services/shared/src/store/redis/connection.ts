import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions as AllClientOptions } from 'ioredis';
import type {
  ClusterOptions,
  RedisOptions,
  SentinelOptions,
  StandaloneOptions,
  TlsOptions,
} from './options.ts';
import { parseRedisUrl } from './url.ts';

export type RedisClient = Redis | Cluster;

/** Without the option that ioredis declares twice, once as a type parameter. */
type ClientOptions = Omit<AllClientOptions, 'replyMapping'>;

/** Milliseconds. */
export const redisTimeouts = {
  connect: 3000,
  /** Until a response. The call then fails. */
  response: 2000,
  /** Until a connection without responses is replaced. */
  socketIdle: 5000,
  maxBackoff: 2000,
  /** Until `stop` no longer waits for sockets to close. */
  disconnect: 1000,
} as const;

/**
 * Creates a client that connects on `connect()`, and reconnects until `disconnect()`. While it is not connected, calls
 * fail at once instead of being queued, so that pages can show the outage and retry.
 */
export function createRedisClient(options: RedisOptions): RedisClient {
  if (options.mode === 'cluster') return cluster(options);
  if (options.mode === 'sentinel') return sentinel(options);
  return standalone(options);
}

const common = {
  lazyConnect: true,
  connectTimeout: redisTimeouts.connect,
  commandTimeout: redisTimeouts.response,
  socketTimeout: redisTimeouts.socketIdle,
  // Until a socket that the server does not close is destroyed.
  disconnectTimeout: 250,
  // No command is sent twice: a grant may have been taken although the response was lost.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // signals.ts subscribes itself.
  autoResubscribe: false,
  maxLoadingRetryTime: redisTimeouts.maxBackoff,
  disableClientInfo: true,
} satisfies ClientOptions;

function standalone(options: StandaloneOptions): Redis {
  const { host, port, db, tls, username, password } = parseRedisUrl(options.url);
  const credentials = credentialsOf({
    username: options.username ?? username,
    password: options.password ?? password,
  });
  return single(credentials, { host, port, db, ...tlsOption(tls ? (options.tls ?? {}) : undefined) });
}

function sentinel(options: SentinelOptions): Redis {
  const { tls } = options;
  const toServers = credentialsOf(options);
  const toSentinels = credentialsOf({
    username: options.sentinelUsername,
    password: options.sentinelPassword,
  });
  const credentials = () => {
    const { username, password } = toSentinels();
    return {
      ...toServers(),
      ...(username === undefined ? {} : { sentinelUsername: username }),
      ...(password === undefined ? {} : { sentinelPassword: password }),
    };
  };
  const client: Redis = single(credentials, {
    sentinels: [...options.sentinels],
    name: options.name,
    // Called while no sentinel responds. `retryStrategy` is not, so the credentials must be refreshed here, too.
    sentinelRetryStrategy(times) {
      Object.assign(client.options, credentials());
      return backOff(times);
    },
    sentinelCommandTimeout: redisTimeouts.response,
    db: options.db ?? 0,
    ...(tls ? { ...tlsOption(tls), sentinelTLS: tlsFields(tls), enableTLSForSentinelMode: true } : {}),
  });
  return client;
}

function single(credentials: () => Credentials, options: ClientOptions): Redis {
  const all: ClientOptions = {
    ...common,
    enableOfflineQueue: false,
    // After a failover, the server may have become a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...credentials(),
    ...options,
    retryStrategy(times) {
      Object.assign(client.options, credentials());
      return backOff(times);
    },
  };
  const client = new Redis(all);
  return client;
}

function cluster(options: ClusterOptions): Cluster {
  const credentials = credentialsOf(options);
  const client = new Cluster([...options.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRedirections: 3,
    slotsRefreshTimeout: redisTimeouts.response,
    clusterRetryStrategy: backOff,
    redisOptions: { ...common, ...credentials(), ...tlsOption(options.tls) },
    // Certificates contain names, so the client must connect to names, not to their addresses.
    ...(options.tls ? { dnsLookup: (name, done) => done(null, name) } : {}),
  });
  // Emitted before the client connects to the node. After an outage, all nodes are new.
  client.on('+node', (node: Redis) => Object.assign(node.options, credentials()));
  return client;
}

function tlsOption(tls: TlsOptions | undefined): { tls?: ConnectionOptions } {
  return tls ? { tls: tlsFields(tls) } : {};
}

/** Getters, because the client copies the fields for each connection, and the files may have changed. */
function tlsFields({ ca, cert, key, servername }: TlsOptions): ConnectionOptions {
  const pem = (value: string | (() => string) | undefined) => (typeof value === 'function' ? value() : value);
  return {
    ...(servername === undefined ? {} : { servername }),
    get ca() {
      return pem(ca);
    },
    get cert() {
      return pem(cert);
    },
    get key() {
      return pem(key);
    },
  };
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

function credentialsOf(options: {
  readonly username?: string | undefined;
  readonly password?: string | (() => string | undefined) | undefined;
}): () => Credentials {
  return () => {
    const password = typeof options.password === 'function' ? options.password() : options.password;
    // A user name without a password is no credential.
    return { username: password === undefined ? undefined : options.username, password };
  };
}

function backOff(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 10), redisTimeouts.maxBackoff);
}
