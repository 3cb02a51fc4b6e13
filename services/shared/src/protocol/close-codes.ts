/**
 * All WebSocket close codes (RFC 6455 section 7.4) with which a console ends, as one closed list for relay, pages, docs
 * and metrics. This module is bundled into the pages, so it must not import anything.
 *
 * `pageAction` is what the page does. `text` is what the user reads when the page can't or shouldn't recover by itself.
 * For 1002, 1009 and 1011, see docs/decisions/0002-close-codes.md.
 */
export type PageAction =
  /** Shows the text and offers to reopen the console. */
  | 'offer-reopen'
  /** Reconnects at once without a message. */
  | 'reconnect'
  /** Shows the text and offers the machine's terminal, if the user may open it. Does not retry. */
  | 'offer-terminal'
  /** Shows the text and reconnects with back-off. */
  | 'retry'
  /** Requests a new grant once. If that fails, shows the text. */
  | 'new-grant-once'
  /** Shows the text and reopens the console as soon as the machine runs. */
  | 'wait-for-machine'
  /** Shows the text. A retry would fail as well. */
  | 'show-message';

export interface CloseCode {
  readonly code: number;
  readonly pageAction: PageAction;
  /** At most 123 bytes of UTF-8, the limit of a close frame. Contains no names and no secrets. */
  readonly text: string;
}

export const closeCodes = {
  ended: { code: 1000, pageAction: 'wait-for-machine', text: 'The machine was shut down.' },
  protocol: {
    code: 1002,
    pageAction: 'show-message',
    text: 'The viewer violated the protocol.',
  },
  too_big: { code: 1009, pageAction: 'show-message', text: 'The viewer sent a message that is too large.' },
  internal: { code: 1011, pageAction: 'offer-reopen', text: 'An internal error occurred.' },
  moving: { code: 1012, pageAction: 'reconnect', text: 'The console is moving to another server.' },
  try_later: { code: 1013, pageAction: 'retry', text: 'The service is temporarily unavailable.' },
  grant: {
    code: 4401,
    pageAction: 'new-grant-once',
    text: 'This console link was already used or has expired.',
  },
  forbidden: {
    code: 4403,
    pageAction: 'show-message',
    text: 'You are not allowed to open this console from here.',
  },
  not_found: { code: 4404, pageAction: 'new-grant-once', text: 'The machine was moved or deleted.' },
  no_console: { code: 4405, pageAction: 'show-message', text: 'This machine has no such console.' },
  terminal_only: {
    code: 4406,
    pageAction: 'offer-terminal',
    text: 'This machine has no display, but it has a terminal.',
  },
  idle: {
    code: 4408,
    pageAction: 'offer-reopen',
    text: 'The console was closed due to inactivity.',
  },
  not_running: { code: 4409, pageAction: 'wait-for-machine', text: 'The machine is not running.' },
  time_limit: {
    code: 4410,
    pageAction: 'show-message',
    text: 'The time limit for this console was reached.',
  },
  ended_by_operator: {
    code: 4423,
    pageAction: 'show-message',
    text: 'The console was ended by an operator or instructor.',
  },
  too_many: { code: 4429, pageAction: 'offer-reopen', text: 'Too many consoles are open.' },
  upstream: { code: 4502, pageAction: 'offer-reopen', text: 'Proxmox refused to open the console.' },
  no_slot: { code: 4503, pageAction: 'retry', text: 'The node has no free console slot.' },
  timeout: { code: 4504, pageAction: 'retry', text: 'Proxmox or the machine did not respond in time.' },
  not_recorded: {
    code: 4507,
    pageAction: 'offer-reopen',
    text: 'This console must be recorded, and that is not possible at the moment.',
  },
} as const satisfies Record<string, CloseCode>;

export type CloseName = keyof typeof closeCodes;

/**
 * The code with which a page closes a connection that it takes for dead, to resume on another one. If it arrives after
 * all, the relay keeps the session for the resume. RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications.
 */
export const abandonedCode = 4000;

/** The reason of `ended_by_operator` after a sign-out. The page then offers to sign in. */
export const signedOutReason = 'You were signed out.';

/** The reason of `ended` after the end of a terminal's program. The page then offers to open the terminal again. */
export const terminalEndedReason = 'The program in the terminal has ended.';

const namesByCode = new Map<number, CloseName>(
  (Object.keys(closeCodes) as CloseName[]).map((name) => [closeCodes[name].code, name]),
);

/** The name of a close code, or undefined for a code that Porthole does not send, such as 1006. */
export function closeNameOf(code: number): CloseName | undefined {
  return namesByCode.get(code);
}
