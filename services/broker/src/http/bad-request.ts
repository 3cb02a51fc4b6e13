import { PortholeError } from '@porthole/shared/errors';
import type { z } from 'zod';

/** A `bad_request` error whose explanation is sent to the client. */
export class BadRequest extends PortholeError {
  /** Names fields of the request. Never put internal details here. */
  readonly explanation: string;

  constructor(explanation: string) {
    super('bad_request');
    this.explanation = explanation;
  }
}

/** Returns an error that names the first invalid field. */
export function badRequestOf(error: z.ZodError): BadRequest {
  const issue = error.issues[0];
  const path = issue?.path.join('.');
  return new BadRequest([path, issue?.message].filter(Boolean).join(': '));
}
