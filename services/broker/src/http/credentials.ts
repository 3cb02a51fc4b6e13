import type { Context } from './context.ts';

const bearerPattern = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;
/** 32 random bytes in base64url. */
const secretPattern = /^[A-Za-z0-9_-]{43}$/;

/** Returns the token of `Authorization: Bearer …` (RFC 6750, section 2.1), or undefined for any other header. */
export function bearerTokenOf(ctx: Context): string | undefined {
  return bearerPattern.exec(ctx.get('authorization'))?.[1];
}

/**
 * Returns the secret in a cookie, or undefined if it is missing or malformed. Two cookies of the same name count as
 * missing, because one of them is planted and nothing tells which.
 */
export function readSecretCookie(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  const [value, ...more] = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  return value !== undefined && more.length === 0 && secretPattern.test(value) ? value : undefined;
}
