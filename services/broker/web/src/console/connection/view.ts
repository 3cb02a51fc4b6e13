import type { OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { StatusMessage } from '../../texts/status-message.ts';
import type { Notices } from '../notices/notices.ts';
import type { EndedOffer } from './outcome.ts';
import type { SessionInfo } from './session-info.ts';

export type Mode = 'view' | 'control';

/** The state of the connection and what belongs to it. `document.body.dataset.state` holds the same name. */
export type Phase =
  /** The page has asked the broker for a grant. */
  | { readonly state: 'requesting' }
  | { readonly state: 'connecting' }
  /** Position 1 is next. The expected wait is known once the queue has moved. */
  | { readonly state: 'queued'; readonly position: number; readonly waitSeconds: number | undefined }
  | { readonly state: 'opening'; readonly step?: OpeningStep }
  /** The console is open at the relay, but the machine has not sent a frame yet. */
  | { readonly state: 'awaiting-frame'; readonly mode: Mode }
  | { readonly state: 'open'; readonly mode: Mode }
  /** The relay has released the console, because the page is hidden. The last frame stays. */
  | {
      readonly state: 'parked';
      readonly mode: Mode;
      /** Whether the relay still keeps the connection. */
      readonly connected: boolean;
    }
  /** The page polls the machine's status and reconnects when it runs. */
  | { readonly state: 'machine-off'; readonly message: StatusMessage }
  | {
      readonly state: 'retrying';
      readonly message: StatusMessage;
      /** Milliseconds since the epoch. */
      readonly retryAt: number;
      readonly offline: boolean;
    }
  | { readonly state: 'ended'; readonly message: StatusMessage; readonly offer: EndedOffer };

/**
 * How an open console was interrupted, until it is open again. `brief`: another relay takes over within about a
 * second, so the last frame stays bright. `parked`: the page was hidden. `lost`: the connection is lost. In these two
 * cases, the page says so and dims the last frame.
 */
export type Interruption = 'none' | 'brief' | 'parked' | 'lost';

/** Everything about the connection that the page shows. */
export type View = Phase & {
  readonly interruption: Interruption;
  /** The session's id, which users quote to support. */
  readonly supportId: string | undefined;
  /** The last close code, for tests and support. Never shown as a number. */
  readonly closeCode: number | undefined;
  readonly notices: Notices;
  readonly sessionInfo: SessionInfo;
  readonly machine: { readonly name: string; readonly node: string } | undefined;
};
