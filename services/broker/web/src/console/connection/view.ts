import type { OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { StatusMessage } from '../../texts.ts';
import type { Notices } from '../notices/notices.ts';
import type { EndedOffer } from './outcome.ts';
import type { SessionInfo } from './session-info.ts';

export type Mode = 'view' | 'control';

/** Where a console is on its way; `document.body.dataset.state` shows the same word. */
export type Phase =
  | { readonly state: 'asking' }
  | { readonly state: 'connecting' }
  | { readonly state: 'queued'; readonly position: number }
  | { readonly state: 'opening'; readonly step?: OpeningStep }
  /** The relay has the console; the machine has not drawn yet. */
  | { readonly state: 'picture'; readonly mode: Mode }
  | { readonly state: 'open'; readonly mode: Mode }
  /** The machine is off and is watched. */
  | { readonly state: 'waiting'; readonly words: StatusMessage }
  | {
      readonly state: 'retrying';
      readonly words: StatusMessage;
      readonly retryAt: number;
      readonly offline: boolean;
    }
  | { readonly state: 'ended'; readonly words: StatusMessage; readonly offer: EndedOffer };

export type View = Phase & {
  /** The last picture stays bright and hardly anything is said: this takes a second. */
  readonly quiet: boolean;
  /** The grant's id, which people quote to support. */
  readonly supportId: string | undefined;
  /** The last close code, for tests and support; never shown as a number. */
  readonly closeCode: number | undefined;
  readonly notices: Notices;
  readonly sessionInfo: SessionInfo;
  readonly machine: { readonly name: string; readonly node: string } | undefined;
};
