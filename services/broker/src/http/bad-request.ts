import { PortholeError } from '@porthole/shared/errors';
import type { z } from 'zod';

/** A request that is wrong in a way that its sender may be told. */
export class BadRequest extends PortholeError {
  /** Shown to the sender, who sent it: it names their fields, nothing of ours. */
  readonly explanation: string;

  constructor(explanation: string) {
    super('bad_request');
    this.explanation = explanation;
  }
}

export function badRequestOf(error: z.ZodError): BadRequest {
  const issue = error.issues[0];
  const path = issue?.path.join('.');
  return new BadRequest([path, issue?.message].filter(Boolean).join(': '));
}
