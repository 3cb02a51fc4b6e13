import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import { BadRequest } from './bad-request.ts';
import type { Context, Step } from './context.ts';

/** Turns every error into a response: application/problem+json (RFC 9457) with a stable `code`. */
export function answerErrors(log: Pick<Log, 'error' | 'warn' | 'info'>): Step {
  return async (ctx, next) => {
    try {
      await next();
      // The router reports these without throwing, and has set the Allow header.
      if (ctx.status === 405 || ctx.status === 501) throw new PortholeError('method_not_allowed');
      if (ctx.status === 404 && !ctx.body) throw new PortholeError('not_found');
    } catch (thrown) {
      const error = asPortholeError(thrown);
      logError(log, ctx, error);
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
    // Other details are only for the log.
    ...(error instanceof BadRequest ? { detail: error.explanation } : {}),
    requestId: ctx.state.requestId,
  };
  ctx.set('content-type', 'application/problem+json');
  ctx.set('cache-control', 'no-store');
  if (error.retryAfter !== undefined) ctx.set('retry-after', String(error.retryAfter));
  // The unread rest of the body must not be parsed as the next request.
  if (error.code === 'body_too_large') ctx.set('connection', 'close');
}

function logError(log: Pick<Log, 'error' | 'warn' | 'info'>, ctx: Context, error: PortholeError): void {
  const fields = { requestId: ctx.state.requestId, user: ctx.state.user?.id };
  // The cause of an unexpected error has the stack that matters.
  if (error.code === 'internal')
    log.error({ ...fields, err: error.cause ?? error }, 'a request failed with an unexpected error');
  else if (error.status >= 500) log.warn({ ...fields, err: error }, 'a request failed');
  else log.info({ ...fields, code: error.code, detail: error.detail }, 'a request was refused');
}
