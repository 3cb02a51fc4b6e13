import { closeCodes, closeNameOf, signedOutReason } from '@porthole/shared/protocol/close-codes';
import type { Problem } from '../api.ts';
import { lost, signedOut, wordsForClose, wordsForProblem, type Words } from '../texts.ts';

/** What follows from the end of a connection, or from a request that the broker refused. */
export type Outcome =
  | { readonly next: 'reconnect' }
  | { readonly next: 'new-grant'; readonly words: Words }
  /** `lost`: nobody closed the console, the line broke. */
  | { readonly next: 'retry'; readonly words: Words; readonly wait?: number; readonly lost?: true }
  | { readonly next: 'wait-for-machine'; readonly words: Words }
  | { readonly next: 'end'; readonly words: Words; readonly offer: Offer }
  | { readonly next: 'sign-in'; readonly words: Words };

export type Offer = 'reopen' | 'list' | 'sign-in';

/** The code that browsers use for "the line broke"; so do we, for ends that we notice before the browser. */
export const lineBroke = 1006;

/** Codes that are not ours (1006 and 1005 above all) mean that the line broke somewhere on the way. */
export function outcomeOfClose(code: number, reason: string): Outcome {
  const name = closeNameOf(code);
  if (!name) return { next: 'retry', words: lost, lost: true };
  if (name === 'ended_by_operator' && reason === signedOutReason)
    return { next: 'end', words: { ...signedOut, title: reason }, offer: 'sign-in' };
  const words = wordsForClose(name, reason);
  const { pageAction } = closeCodes[name];
  switch (pageAction) {
    case 'reconnect':
      return { next: 'reconnect' };
    case 'retry':
      return { next: 'retry', words };
    case 'new-grant-once':
      return { next: 'new-grant', words };
    case 'wait-for-machine':
      return { next: 'wait-for-machine', words };
    case 'offer-reopen':
      return { next: 'end', words, offer: 'reopen' };
    case 'show-message':
      return { next: 'end', words, offer: 'list' };
    default:
      return pageAction satisfies never;
  }
}

export function outcomeOfProblem(problem: Problem): Outcome {
  const words = wordsForProblem(problem);
  switch (problem.code) {
    case 'not_signed_in':
    case 'signed_out':
      return { next: 'sign-in', words: signedOut };
    case 'rate_limited':
      return { next: 'retry', words, wait: (problem.retryAfter ?? 5) * 1000 };
    case 'machine_stopped':
    case 'machine_ended':
      return { next: 'wait-for-machine', words };
    case 'user_limit':
    case 'machine_limit':
      return { next: 'end', words, offer: 'reopen' };
    case 'machine_not_found':
    case 'not_found':
    case 'not_allowed':
    case 'embed_token_invalid':
    case 'impersonation_not_allowed':
    case 'cross_site':
    case 'origin_not_allowed':
    case 'bad_request':
    case 'time_limit':
    case 'ended_by_operator':
      return { next: 'end', words, offer: 'list' };
    default:
      return problem.retryAfter === undefined
        ? { next: 'retry', words }
        : { next: 'retry', words, wait: problem.retryAfter * 1000 };
  }
}
