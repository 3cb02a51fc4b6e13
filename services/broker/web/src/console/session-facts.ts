import type { GrantClaims } from '@porthole/shared/grant/claims';

/** What the relay has said of the session that is open: which way the clipboard may go, and who looks on. */
export interface SessionFacts {
  readonly clipboard: ClipboardWays;
  readonly watched: Watched;
}

/** Seen from the machine: pasted in, copied out. */
export type ClipboardWays = NonNullable<GrantClaims['clipboard']>;

export interface Watched {
  readonly by: readonly string[];
  /** How many more, who are not named. */
  readonly others: number;
}

export const noFacts: SessionFacts = { clipboard: 'both', watched: { by: [], others: 0 } };

/** What this viewer may do with the clipboard: somebody who only looks on pastes nothing. */
export function clipboardOf(
  ways: ClipboardWays,
  mode: 'view' | 'control',
): { paste: boolean; copy: boolean } {
  return {
    paste: mode === 'control' && (ways === 'both' || ways === 'in'),
    copy: ways === 'both' || ways === 'out',
  };
}
