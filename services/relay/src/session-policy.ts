import type { Clock } from '@porthole/shared/clock';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import { readMessages, type MachineSide } from './pump/read-link.ts';
import { createClientRule, type ClientRule } from './rfb/client-rules.ts';
import { createClipboardGuard } from './rfb/clipboard-guard.ts';
import { clipboardPolicy } from './rfb/clipboard.ts';
import { createUpdatePace } from './rfb/update-pace.ts';

/** What a grant says of a screen's messages, in both directions. Sessions without limits pay nothing for it. */
export interface SessionPolicy {
  readonly rule: ClientRule;
  /** The machine's side as its viewer may know it. */
  read(side: MachineSide): MachineSide;
  stop(): void;
}

export function createSessionPolicy(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>;
  /** Sends a message of our own to the machine. False when none may begin at this moment. */
  readonly send: (message: Buffer) => boolean;
}): SessionPolicy {
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
