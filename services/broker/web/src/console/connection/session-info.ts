import type { GrantClaims } from '@porthole/shared/grant/claims';

/** What the relay has said of the session that is open: which way the clipboard may go, and who looks on. */
export interface SessionInfo {
  readonly clipboard: ClipboardDirection;
  readonly observers: Observers;
}

/** Seen from the machine: pasted in, copied out. */
export type ClipboardDirection = NonNullable<GrantClaims['clipboard']>;

export interface Observers {
  readonly by: readonly string[];
  /** How many more, who are not named. */
  readonly others: number;
}

export const noSessionInfo: SessionInfo = { clipboard: 'both', observers: { by: [], others: 0 } };

/** What this viewer may do with the clipboard: somebody who only looks on pastes nothing. */
export function clipboardRights(
  ways: ClipboardDirection,
  mode: 'view' | 'control',
): { paste: boolean; copy: boolean } {
  return {
    paste: mode === 'control' && (ways === 'both' || ways === 'in'),
    copy: ways === 'both' || ways === 'out',
  };
}
