import cors from '@koa/cors';
import type { Step } from './context.ts';

/**
 * Lets pages of other sites call the API with a token of their own (CORS, https://fetch.spec.whatwg.org section 3.3):
 * those that may open consoles, and no other. Never with our cookie, which is whoever's browser it is.
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
