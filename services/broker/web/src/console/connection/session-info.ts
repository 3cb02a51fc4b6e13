import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlInfo } from '../control/control-info.ts';

/** What the relay has told about the open session. */
export interface SessionInfo {
  readonly clipboard: ClipboardDirection;
  readonly observers: Observers;
  /** Whether the terminal has not answered input for some time. */
  readonly unanswered: boolean;
  /** Whether the relay is opening the console of the machine again, while the last picture stays. */
  readonly reconnecting: boolean;
  readonly control: ControlInfo;
  /** Whether the relay wants to know when the page is hidden. */
  readonly parking: boolean;
  /** False: the console should be recorded, and is not. Undefined: it should not be. */
  readonly recorded: boolean | undefined;
}

/** Seen from the machine: `in` allows pasting, `out` allows copying. */
export type ClipboardDirection = NonNullable<GrantClaims['clipboard']>;

export interface Observers {
  /** Names of observers. */
  readonly by: readonly string[];
  /** The number of further observers, who are not named. */
  readonly others: number;
}

export const noSessionInfo: SessionInfo = {
  clipboard: 'both',
  observers: { by: [], others: 0 },
  unanswered: false,
  reconnecting: false,
  control: undefined,
  parking: false,
  recorded: undefined,
};

/** What this viewer may do with the clipboard. A view-only session can't paste. */
export function clipboardRights(
  direction: ClipboardDirection,
  mode: 'view' | 'control',
): { readonly paste: boolean; readonly copy: boolean } {
  return {
    paste: mode === 'control' && (direction === 'both' || direction === 'in'),
    copy: direction === 'both' || direction === 'out',
  };
}
