import { bodyParser } from '@koa/bodyparser';
import { PortholeError } from '@porthole/shared/errors';
import { BadRequest } from './bad-request.ts';
import type { Step } from './context.ts';

const maxBytes = 16 * 1024;

/** Reads a JSON body of at most 16 KiB into `ctx.request.body`; what may be in it is for the route to say. */
export function readJson(): Step {
  return bodyParser({
    enableTypes: ['json'],
    jsonLimit: `${maxBytes}b`,
    onError(error) {
      // The parser's own error quotes the body, which may hold a password: it ends here.
      if ((error as { status?: unknown }).status === 413) throw new PortholeError('body_too_large');
      throw new BadRequest('the body is not valid JSON');
    },
  });
}
