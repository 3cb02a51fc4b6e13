import { bodyParser } from '@koa/bodyparser';
import { PortholeError } from '@porthole/shared/errors';
import { BadRequest } from './bad-request.ts';
import type { Step } from './context.ts';

const maxBytes = 16 * 1024;

/** Parses a JSON body of at most 16 KiB into `ctx.request.body`. The route validates it. */
export function readJson(): Step {
  return bodyParser({
    enableTypes: ['json'],
    jsonLimit: `${maxBytes}b`,
    onError(error) {
      // Drops the parser's error, because it quotes the body, which can hold a password.
      if ((error as { status?: unknown }).status === 413) throw new PortholeError('body_too_large');
      throw new BadRequest('the body is not valid JSON');
    },
  });
}
