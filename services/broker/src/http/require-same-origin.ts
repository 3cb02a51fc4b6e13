import { PortholeError } from '@porthole/shared/errors';
import { bearerPattern } from '../sign-in/programs/identify-program.ts';
import type { Context, Step } from './context.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whatever changes something must come from our own pages: a cookie alone proves only whose browser it is.
 *
 * Browsers say where a request comes from in Sec-Fetch-Site, which no page can forge. They leave it out over http
 * to other hosts than localhost, and old ones always do; then Origin must be ours. A request with neither is no
 * browser's, or hides something. On top, a body must be JSON, which no HTML form can send.
 *
 * Programs prove who they are by a token that no browser sends by itself. `servers`: addresses where other servers call,
 * which look at no cookie.
 */
export function requireSameOrigin(publicUrl: URL, servers: RegExp): Step {
  return async (ctx, next) => {
    const hasToken = bearerPattern.test(ctx.get('authorization'));
    if (!safeMethods.has(ctx.method) && !servers.test(ctx.path)) {
      const site = ctx.get('sec-fetch-site');
      const ours = site === '' ? ctx.get('origin') === publicUrl.origin : site === 'same-origin';
      if (!ours && !hasToken)
        throw new PortholeError('cross_site', { detail: site || ctx.get('origin') || 'no origin' });
      if (hasBody(ctx) && !ctx.is('application/json')) throw new PortholeError('wrong_media_type');
    }
    await next();
  };
}

/** A sign-out has none; browsers then send a length of zero and no type. */
function hasBody(ctx: Context): boolean {
  return ctx.get('transfer-encoding') !== '' || !['', '0'].includes(ctx.get('content-length'));
}
