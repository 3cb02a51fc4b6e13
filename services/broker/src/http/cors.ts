import cors from '@koa/cors';
import type { Step } from './context.ts';

/**
 * Allows pages of the listed origins to call the API with a bearer token (CORS, https://fetch.spec.whatwg.org section
 * 3.3). Cookies stay excluded, so that such a page can't act as the user of the browser.
 */
export function allowCrossOrigin(allowedOrigins: readonly string[]): Step {
  const allowed = new Set(allowedOrigins);
  const answer = cors({
    origin: (ctx) => (allowed.has(ctx.get('origin')) ? ctx.get('origin') : ''),
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['authorization', 'content-type'],
    exposeHeaders: ['x-request-id', 'retry-after'],
    maxAge: 600,
  });
  return async (ctx, next) => {
    if (allowed.size > 0 && ctx.path.startsWith('/api/')) await answer(ctx, next);
    else await next();
  };
}
