import type { Clock } from '../time/clock.ts';
import { grantKeysOf } from '../config/read.ts';
import type { Config, RedisConfig } from '../config/schema.ts';
import type { Log } from '../telemetry/log.ts';
import { createMemoryStore } from './memory/store.ts';
import type { Store } from './ports.ts';
import { createRedisStore } from './redis/store.ts';
import type { RedisOptions, TlsOptions } from './redis/options.ts';

/** Creates the configured store: Redis if configured, otherwise in memory. */
export function openStore(
  config: Pick<Config, 'redis' | 'grantKeys'>,
  deps: { readonly log: Log; readonly clock: Clock; readonly onFailure?: () => void },
): Store {
  if (!config.redis) return createMemoryStore(deps);
  if (!config.grantKeys) throw new Error('The schema requires grant keys with Redis.');
  return createRedisStore({
    ...deps,
    keys: grantKeysOf(config.grantKeys),
    redis: redisOptionsOf(config.redis),
  });
}

/** Maps the configuration to connection options. Secrets and certificates stay functions, because their files may change. */
export function redisOptionsOf(config: RedisConfig): RedisOptions {
  const { url, sentinel, cluster, username, password } = config;
  const credentials = { ...(username === undefined ? {} : { username }), ...(password ? { password } : {}) };
  if (url !== undefined) return { mode: 'standalone', url, ...credentials, tls: tlsOptionsOf(config) };
  const tls = config.tls ? { tls: tlsOptionsOf(config) } : {};
  if (cluster) return { mode: 'cluster', nodes: cluster.nodes, ...credentials, ...tls };
  if (!sentinel) throw new Error('The schema requires an address of Redis.');
  return {
    mode: 'sentinel',
    sentinels: sentinel.nodes,
    name: sentinel.name,
    db: sentinel.db,
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password ? { sentinelPassword: sentinel.password } : {}),
    ...credentials,
    ...tls,
  };
}

function tlsOptionsOf({ caFile, certFile, keyFile, serverName }: RedisConfig): TlsOptions {
  return {
    ...(caFile ? { ca: caFile } : {}),
    ...(certFile ? { cert: certFile } : {}),
    ...(keyFile ? { key: keyFile } : {}),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
