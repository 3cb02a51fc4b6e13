import { z } from 'zod';
import type { Secret } from './secret.ts';

/** Fields that several parts of the configuration use. */

export const secret = z.custom<Secret>(
  (value) => typeof value === 'function',
  'must be a string, or use the …File setting',
);

/** Accepts strings, because environment variables are strings. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

export const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([z.array(item).min(1), item.transform((value) => [value])]);

/** A URL that stands for its origin. Everything else in it would be ignored silently. */
export const originUrl = (scheme: 'https' | 'https?') =>
  z
    .url({
      protocol: new RegExp(`^${scheme}$`),
      error: `must be an ${scheme === 'https' ? 'https://' : 'http:// or https://'} URL`,
    })
    .refine(
      (text) => !URL.canParse(text) || isOrigin(new URL(text)),
      'must not have a path: specify only scheme, host and port',
    )
    // JSON Schema has no refinements.
    .meta({ pattern: `^${scheme}://[^/?#@\\s]+/?$` })
    .transform((text) => new URL(text));

const isOrigin = ({ pathname, search, hash, username }: URL) =>
  pathname === '/' && search + hash + username === '';

/** Limited because a Node timer of more than 24 days fires at once. */
export const seconds = z
  .number()
  .int()
  .positive()
  .max(7 * 86_400, 'must be at most 604800 (one week)');
