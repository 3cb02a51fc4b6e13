import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import { filterMessages, type UpstreamSide } from '../stream/upstream-side.ts';
import { createClientMessagePolicy, type ClientMessagePolicy } from './client-message-policy.ts';
import { createClipboardPolicy } from './clipboard-policy.ts';
import { createServerClipboardFilter } from './server-clipboard-filter.ts';
import { createUpdateRateLimiter } from './update-rate-limiter.ts';

/** Applies a grant to the messages of a screen, in both directions. Costs nothing in sessions without restrictions. */
export interface ScreenPolicy {
  readonly clientMessages: ClientMessagePolicy;
  /** The machine's side, without what the viewer must not receive. */
  filterUpstream(side: UpstreamSide): UpstreamSide;
  stop(): void;
}

export function createScreenPolicy(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>;
  /** Sends a message of the relay to the machine. Returns false if none may begin now. */
  readonly send: (message: Buffer) => boolean;
}): ScreenPolicy {
  const { clock, claims, send } = deps;
  const clipboard = createClipboardPolicy(claims.clipboard);
  const serverClipboard = clipboard.textOut ? undefined : createServerClipboardFilter(clipboard);
  const rateLimiter =
    claims.updatesPerSecond === undefined
      ? undefined
      : createUpdateRateLimiter({ clock, perSecond: claims.updatesPerSecond, send });
  return {
    clientMessages: createClientMessagePolicy({ clipboard, serverClipboard, rateLimiter }),
    filterUpstream: (side) => (serverClipboard ? filterMessages(side, serverClipboard.serverMessages) : side),
    stop: () => rateLimiter?.stop(),
  };
}
