export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Parses a Redis URL. Errors never quote it, because it may contain a password. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol)) {
    throw new Error('The Redis URL must look like redis://host:6379/0, or rediss:// for TLS.');
  }
  if (url.hostname === '') throw new Error('The Redis URL has no host.');
  if (!/^(\/\d{0,5})?$/.test(url.pathname))
    throw new Error('The path of the Redis URL must be a database number.');
  if (url.search !== '' || url.hash !== '')
    throw new Error('The Redis URL must have no query and no fragment.');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1)),
    tls: url.protocol === 'rediss:',
    ...(url.username === '' ? {} : { username: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('The user name or password in the Redis URL has an invalid percent-encoding.');
  }
}
