import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { BadRequest } from './bad-request.ts';
import type { Context, Step } from './context.ts';

/** The only place where an error becomes an answer: application/problem+json (RFC 9457) with our stable `code`. */
export function answerErrors(log: Pick<Log, 'error' | 'warn' | 'info'>): Step {
  return async (ctx, next) => {
    try {
      await next();
      // The router says so without throwing, and has named the methods that it takes in the header Allow.
      if (ctx.status === 405 || ctx.status === 501) throw new PortholeError('method_not_allowed');
      if (ctx.status === 404 && !ctx.body) throw new PortholeError('not_found');
    } catch (thrown) {
      const error = asPortholeError(thrown);
      report(log, ctx, error);
      answer(ctx, error);
    }
  };
}

function answer(ctx: Context, error: PortholeError): void {
  ctx.status = error.status;
  ctx.body = {
    type: `urn:porthole:error:${error.code}`,
    title: error.message,
    status: error.status,
    code: error.code,
    // Of all that is known about an error only this was written for the one who asked.
    ...(error instanceof BadRequest ? { detail: error.explanation } : {}),
    requestId: ctx.state.requestId,
  };
  ctx.set('content-type', 'application/problem+json');
  ctx.set('cache-control', 'no-store');
  if (error.retryAfter !== undefined) ctx.set('retry-after', String(error.retryAfter));
  // The rest of a body that nobody will read must not be taken for the next request.
  if (error.code === 'body_too_large') ctx.set('connection', 'close');
}

function report(log: Pick<Log, 'error' | 'warn' | 'info'>, ctx: Context, error: PortholeError): void {
  const facts = { requestId: ctx.state.requestId, user: ctx.state.user?.id };
  // An unforeseen error comes wrapped in one of ours, but its own stack says where.
  if (error.code === 'internal')
    log.error({ ...facts, err: error.cause ?? error }, 'a request failed, and nobody foresaw why');
  else if (error.status >= 500) log.warn({ ...facts, err: error }, 'a request failed');
  else log.info({ ...facts, code: error.code, detail: error.detail }, 'a request was refused');
}
