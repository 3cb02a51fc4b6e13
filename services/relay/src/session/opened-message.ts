import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { isMember } from './class-membership.ts';

/** Tells a page that its console is open, and what it may do. */
export function openedMessage(
  claims: GrantClaims,
  { parking, recorded }: { readonly parking: boolean; readonly recorded?: boolean },
): ControlMessage {
  return {
    type: 'opened',
    mode: claims.mode,
    ...(claims.clipboard && { clipboard: claims.clipboard }),
    ...(parking ? { parking: true } : {}),
    ...(isMember(claims) ? { help: true } : {}),
    ...(recorded === undefined ? {} : { recorded }),
  };
}
