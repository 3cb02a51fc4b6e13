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

/** First segments of Porthole's own paths. A base path that begins with one could be taken for such a path. */
const ownPaths = /^\/(api|assets|console|embed|lti|relay|sessions)(\/|$)/;

/** The URL under which browsers reach Porthole: an origin, and the path of its part of the host, if it has no own. */
export const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine((text) => {
    if (!URL.canParse(text)) return true;
    const { search, hash, username, pathname } = new URL(text);
    return search + hash + username === '' && /^(\/[\w.~-]+)*\/?$/.test(pathname);
  }, 'must consist of scheme, host, port and a simple path such as /consoles')
  .refine(
    (text) => !URL.canParse(text) || !ownPaths.test(new URL(text).pathname),
    'must not have a path that begins with /api, /assets, /console, /embed, /lti, /relay or /sessions',
  )
  // JSON Schema has no refinements.
  .meta({ pattern: '^https?://[^/?#@\\s]+(/[\\w.~-]+)*/?$' })
  .transform((text) => new URL(text));

const isOrigin = ({ pathname, search, hash, username }: URL) =>
  pathname === '/' && search + hash + username === '';

const wholeSeconds = z
  .number()
  .int()
  // A Node timer of more than 24 days fires at once.
  .max(7 * 86_400, 'must be at most 604800 (one week)');

export const seconds = wholeSeconds.positive();

/** 0 turns off what would happen after this time. */
export const secondsOrNever = wholeSeconds.min(0);
