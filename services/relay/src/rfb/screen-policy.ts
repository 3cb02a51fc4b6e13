import type { Clock } from '@porthole/shared/time/clock';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { readMessages, type UpstreamSide } from '../stream/read-link.ts';
import { createClientRule, type ClientRule } from './client-rules.ts';
import { createClipboardGuard } from './clipboard-guard.ts';
import { clipboardPolicy } from './clipboard.ts';
import { createUpdatePace } from './update-pace.ts';

/** What a grant says of a screen's messages, in both directions. Sessions without limits pay nothing for it. */
export interface ScreenPolicy {
  readonly rule: ClientRule;
  /** The machine's side as its viewer may know it. */
  read(side: UpstreamSide): UpstreamSide;
  stop(): void;
}

export function createScreenPolicy(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>;
  /** Sends a message of our own to the machine. False when none may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
}): ScreenPolicy {
  const { clock, claims, send } = deps;
  const clipboard = clipboardPolicy(claims.clipboard);
  const guard = clipboard.textOut ? undefined : createClipboardGuard(clipboard);
  const pace =
    claims.updatesPerSecond === undefined
      ? undefined
      : createUpdatePace({ clock, perSecond: claims.updatesPerSecond, send });
  return {
    rule: createClientRule({ clipboard, guard, pace }),
    read: (side) => (guard ? readMessages(side, guard.messages) : side),
    stop: () => pace?.stop(),
  };
}
