import type { Context } from './context.ts';

const pattern = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** Returns the token of `Authorization: Bearer …` (RFC 6750, section 2.1), or undefined for any other header. */
export function bearerTokenOf(ctx: Context): string | undefined {
  return pattern.exec(ctx.get('authorization'))?.[1];
}
