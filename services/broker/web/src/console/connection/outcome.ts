import {
  closeCodes,
  closeNameOf,
  signedOutReason,
  terminalEndedReason,
} from '@porthole/shared/protocol/close-codes';
import type { Problem } from '../../api.ts';
import {
  connectionLost,
  consentRequired,
  messageForClose,
  messageForProblem,
  signedOut,
  signedOutByOperator,
  terminalEnded,
} from '../../texts/console.ts';
import type { StatusMessage } from '../../texts/status-message.ts';

/** What the page does after a connection ended or the broker refused a request. */
export type Outcome =
  | { readonly next: 'reconnect' }
  | { readonly next: 'new-grant'; readonly message: StatusMessage }
  /** `wait` in milliseconds replaces the back-off. `lost`: the connection broke; nothing closed the console. */
  | { readonly next: 'retry'; readonly message: StatusMessage; readonly wait?: number; readonly lost?: true }
  | { readonly next: 'wait-for-machine'; readonly message: StatusMessage }
  | { readonly next: 'end'; readonly message: StatusMessage; readonly offer: EndedOffer }
  | { readonly next: 'sign-in'; readonly message: StatusMessage };

/** What the user can do about an ended console. */
export type EndedOffer = 'reopen' | 'terminal' | 'list' | 'sign-in' | 'consent';

/** Browsers report a broken connection with this code. The page uses it too for a loss that it notices first. */
export const connectionLostCode = 1006;

/** A code that is not in the table, such as 1006 and 1005, means that the connection broke on the way. */
export function outcomeOfClose(code: number, reason: string): Outcome {
  const name = closeNameOf(code);
  if (!name) return { next: 'retry', message: connectionLost, lost: true };
  if (name === 'ended_by_operator' && reason === signedOutReason)
    return { next: 'end', message: signedOutByOperator(reason), offer: 'sign-in' };
  if (name === 'ended' && reason === terminalEndedReason)
    return { next: 'end', message: terminalEnded, offer: 'reopen' };
  const message = messageForClose(name, reason);
  const { pageAction } = closeCodes[name];
  switch (pageAction) {
    case 'reconnect':
      return { next: 'reconnect' };
    case 'retry':
      return { next: 'retry', message };
    case 'new-grant-once':
      return { next: 'new-grant', message };
    case 'wait-for-machine':
      return { next: 'wait-for-machine', message };
    case 'offer-reopen':
      return { next: 'end', message, offer: 'reopen' };
    case 'offer-terminal':
      return { next: 'end', message, offer: 'terminal' };
    case 'show-message':
      return { next: 'end', message, offer: 'list' };
    default:
      return pageAction satisfies never;
  }
}

export function outcomeOfProblem(problem: Problem): Outcome {
  const message = messageForProblem(problem);
  switch (problem.code) {
    case 'not_signed_in':
    case 'signed_out':
      return { next: 'sign-in', message: signedOut };
    case 'rate_limited':
      return { next: 'retry', message, wait: (problem.retryAfter ?? 5) * 1000 };
    case 'machine_stopped':
    case 'machine_ended':
      return { next: 'wait-for-machine', message };
    case 'consent_required':
      return { next: 'end', message: consentRequired, offer: 'consent' };
    case 'user_limit':
    case 'machine_limit':
      return { next: 'end', message, offer: 'reopen' };
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
      return { next: 'end', message, offer: 'list' };
    default:
      return problem.retryAfter === undefined
        ? { next: 'retry', message }
        : { next: 'retry', message, wait: problem.retryAfter * 1000 };
  }
}
