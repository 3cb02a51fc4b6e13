import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { Answer, Grant } from '../../api.ts';
import { noNotices, type Notices } from '../notices/notices.ts';
import { noClassInfo, type ClassInfo, type HelpRequest } from '../class/class-info.ts';
import { noSessionInfo, type SessionInfo } from './session-info.ts';
import type { Interruption, Phase, View } from './view.ts';

/** Everything that the connection knows. Only `transition` makes a new one. */
export interface ConnectionState {
  readonly phase: Phase;
  readonly interruption: Interruption;
  /** Number of the current attempt. Events of earlier attempts are ignored, and their socket is closed. */
  readonly attempt: number;
  /** When the connection's one timer fires, in milliseconds since the epoch. Its meaning depends on the phase. */
  readonly timerAt: number | undefined;
  /** The grant of the newest socket. Grants are kept in memory only. */
  readonly grant: Grant | undefined;
  /** The grant with the newest resume token: it continues the session at any relay. */
  readonly resumeGrant: Grant | undefined;
  /** The id of the session that was open last, to which a new grant returns. */
  readonly lastOpened: string | undefined;
  /** Whether the current attempt uses a resume token. */
  readonly resuming: boolean;
  /** When the first frame of this attempt was shown. */
  readonly openedAt: number | undefined;
  /** Retries in a row, which determine the back-off. */
  readonly retries: number;
  /** Times in a row that a relay sent the page to another one. */
  readonly moves: number;
  /** Whether a refused grant was already replaced once. */
  readonly grantRenewed: boolean;
  /** Number of the newest request for the machine's status. Answers to earlier ones are ignored. */
  readonly poll: number;
  /** Polls that said "running" although the console could not be opened. */
  readonly failedStarts: number;
  /** Polls in a row in which the machine was missing from the list. */
  readonly missingPolls: number;
  readonly closeCode: number | undefined;
  readonly notices: Notices;
  readonly sessionInfo: SessionInfo;
  readonly classInfo: ClassInfo;
  /** Made while the console was interrupted. */
  readonly unsentHelp: HelpRequest | undefined;
  /** Whether the user has agreed that the console is recorded. */
  readonly consents: boolean;
}

export const initialState: ConnectionState = {
  phase: { state: 'requesting' },
  interruption: 'none',
  attempt: 0,
  timerAt: undefined,
  grant: undefined,
  resumeGrant: undefined,
  lastOpened: undefined,
  resuming: false,
  openedAt: undefined,
  retries: 0,
  moves: 0,
  grantRenewed: false,
  poll: 0,
  failedStarts: 0,
  missingPolls: 0,
  closeCode: undefined,
  notices: noNotices,
  sessionInfo: noSessionInfo,
  classInfo: noClassInfo,
  unsentHelp: undefined,
  consents: false,
};

export type ConnectionEvent =
  /** The page was opened, or the user chose "Try now", "Reconnect" or "Open again", or agreed to the recording. */
  | { readonly type: 'open-requested'; readonly consents?: boolean }
  /** The page is being left. */
  | { readonly type: 'stopped' }
  | { readonly type: 'grant-answered'; readonly attempt: number; readonly answer: Answer<Grant> }
  | { readonly type: 'socket-opened'; readonly attempt: number }
  | { readonly type: 'control-message'; readonly attempt: number; readonly message: ControlMessage }
  | { readonly type: 'first-frame'; readonly attempt: number }
  | {
      readonly type: 'socket-closed';
      readonly attempt: number;
      readonly code: number;
      readonly reason: string;
    }
  /** The heartbeat got no answer: the network drops what the page sends. */
  | { readonly type: 'connection-dead'; readonly attempt: number }
  | { readonly type: 'timer' }
  | {
      readonly type: 'status-answered';
      readonly attempt: number;
      readonly poll: number;
      /** The machine's status in the broker's list, `undefined` if it is not listed. */
      readonly answer: Answer<string | undefined>;
    }
  | { readonly type: 'help-requested'; readonly request: HelpRequest }
  | { readonly type: 'network-changed' }
  | { readonly type: 'visibility-changed' };

/** Work that a transition starts. It reports back with an event of the same attempt. */
export type Effect =
  | { readonly type: 'request-grant' }
  | { readonly type: 'open-socket'; readonly grant: Grant }
  | { readonly type: 'poll-machine' }
  | { readonly type: 'check-connection' }
  | { readonly type: 'report-visibility'; readonly hidden: boolean }
  | { readonly type: 'send-help'; readonly request: HelpRequest }
  /** Closes the socket like a dead one, so that the session can be resumed. `connection-dead` follows. */
  | { readonly type: 'abandon-socket' }
  | { readonly type: 'go-to-sign-in' };

export interface Transition {
  readonly state: ConnectionState;
  readonly effects: readonly Effect[];
}

/** What a transition may read besides the state. */
export interface Environment {
  /** Milliseconds since the epoch. */
  now(): number;
  random(): number;
  online(): boolean;
  visible(): boolean;
}

export function viewOf(state: ConnectionState): View {
  const { phase, interruption, grant, closeCode, notices, sessionInfo, classInfo } = state;
  return {
    ...phase,
    interruption,
    supportId: grant?.id,
    machine: grant?.machine,
    closeCode,
    notices,
    sessionInfo,
    classInfo,
  };
}
