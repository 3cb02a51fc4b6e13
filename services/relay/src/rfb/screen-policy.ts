import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { filterMessages, type UpstreamSide } from '../stream/upstream-side.ts';
import { createClientMessagePolicy, type ClientMessagePolicy } from './client-message-policy.ts';
import { createServerClipboardFilter } from './server-clipboard-filter.ts';
import { createClipboardPolicy } from './clipboard-policy.ts';
import { createUpdateRateLimiter } from './update-rate-limiter.ts';

/** What a grant says of a screen's messages, in both directions. Sessions without limits pay nothing for it. */
export interface ScreenPolicy {
  readonly clientMessages: ClientMessagePolicy;
  /** The machine's side as its viewer may know it. */
  filterUpstream(side: UpstreamSide): UpstreamSide;
  stop(): void;
}

export function createScreenPolicy(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>;
  /** Sends a message of our own to the machine. False when none may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
}): ScreenPolicy {
  const { clock, claims, send } = deps;
  const clipboard = createClipboardPolicy(claims.clipboard);
  const guard = clipboard.textOut ? undefined : createServerClipboardFilter(clipboard);
  const pace =
    claims.updatesPerSecond === undefined
      ? undefined
      : createUpdateRateLimiter({ clock, perSecond: claims.updatesPerSecond, send });
  return {
    clientMessages: createClientMessagePolicy({ clipboard, serverClipboard: guard, rateLimiter: pace }),
    filterUpstream: (side) => (guard ? filterMessages(side, guard.serverMessages) : side),
    stop: () => pace?.stop(),
  };
}
