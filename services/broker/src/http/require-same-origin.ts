import { PortholeError } from '@porthole/shared/errors';
import { bearerTokenOf } from './credentials.ts';
import type { Context, Step } from './context.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Rejects state-changing requests that do not come from Porthole's own pages, because a cookie proves only which
 * browser sends the request. Throws `cross_site` or `wrong_media_type`.
 *
 * - Browsers state the origin in Sec-Fetch-Site, which pages can't forge. If it is missing (old browsers, plain HTTP to
 *   hosts other than localhost), Origin must match `publicUrl`. A request with neither header is rejected.
 * - A body must be JSON, which an HTML form can't send, except on `formPaths`.
 * - Requests with a bearer token pass, because browsers don't send one by themselves.
 * - Paths that match `crossSitePaths` pass: other servers call them, or pages of identity providers, and they don't act
 *   with the cookie of a sign-in.
 */
export function requireSameOrigin(
  publicUrl: URL,
  { crossSitePaths, formPaths }: { readonly crossSitePaths: readonly RegExp[]; readonly formPaths: RegExp },
): Step {
  return async (ctx, next) => {
    if (!safeMethods.has(ctx.method) && !crossSitePaths.some((path) => path.test(ctx.path))) {
      const site = ctx.get('sec-fetch-site');
      const sameOrigin = site === '' ? ctx.get('origin') === publicUrl.origin : site === 'same-origin';
      if (!sameOrigin && bearerTokenOf(ctx) === undefined)
        throw new PortholeError('cross_site', { detail: site || ctx.get('origin') || 'no origin' });
      if (hasBody(ctx) && !formPaths.test(ctx.path) && !ctx.is('application/json'))
        throw new PortholeError('wrong_media_type');
    }
    await next();
  };
}

/** A sign-out has no body: browsers then send a length of zero and no media type. */
function hasBody(ctx: Context): boolean {
  return ctx.get('transfer-encoding') !== '' || !['', '0'].includes(ctx.get('content-length'));
}
