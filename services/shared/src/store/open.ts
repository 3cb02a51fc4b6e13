import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { createMemoryStore } from './memory.ts';
import type { Store } from './ports.ts';
import { createRedisStore } from './redis.ts';

/** The store that the configuration asks for: Redis if it names one, otherwise the memory of this process. */
export function openStore(
  config: Pick<Config, 'redis'>,
  deps: { readonly log: Log; readonly clock: Clock },
): Store {
  if (!config.redis) return createMemoryStore(deps);
  const { url, password, caFile } = config.redis;
  return createRedisStore({
    ...deps,
    redis: {
      mode: 'standalone',
      url,
      ...(password ? { password } : {}),
      ...(caFile ? { tls: { ca: caFile() } } : {}),
    },
  });
}
