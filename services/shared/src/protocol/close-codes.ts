/**
 * Every way in which a console can end, as a WebSocket close code (RFC 6455 section 7.4): one closed list
 * for relay, page, docs and metrics. This module is bundled into the pages, so it imports nothing.
 *
 * `does` says what the page does about it; `text` is what a person reads when the page can't or shouldn't
 * repair it by itself. Why 1002, 1009 and 1011 are in it: docs/decisions/0002-close-codes.md.
 */
export type PageAction =
  /** Say it and offer to open the console again. */
  | 'offer-reopen'
  /** Reconnect at once, without a word. */
  | 'reconnect'
  /** Reconnect with back-off and say so. */
  | 'retry'
  /** Ask the broker for a new grant, once; if that doesn't help, say it. */
  | 'new-grant-once'
  /** Say it; reopen by itself as soon as the machine runs. */
  | 'wait-for-machine'
  /** Say it. Trying again would not help. */
  | 'show-message';

export interface CloseCode {
  readonly code: number;
  readonly pageAction: PageAction;
  /** At most 123 bytes of UTF-8, the room that a close frame has. No names, no secrets. */
  readonly text: string;
}

export const closeCodes = {
  ended: { code: 1000, pageAction: 'wait-for-machine', text: 'The machine was shut down.' },
  protocol: {
    code: 1002,
    pageAction: 'show-message',
    text: 'The viewer sent something that is not part of the protocol.',
  },
  too_big: { code: 1009, pageAction: 'show-message', text: 'The viewer sent a message that is too big.' },
  internal: { code: 1011, pageAction: 'offer-reopen', text: 'Something went wrong on our side.' },
  moving: { code: 1012, pageAction: 'reconnect', text: 'The console is moving to another server.' },
  try_later: { code: 1013, pageAction: 'retry', text: 'The service is busy for a moment.' },
  grant: {
    code: 4401,
    pageAction: 'new-grant-once',
    text: 'This console link was already used or is too old.',
  },
  forbidden: { code: 4403, pageAction: 'show-message', text: 'You may not open this console from here.' },
  not_found: { code: 4404, pageAction: 'new-grant-once', text: 'The machine was moved or deleted.' },
  idle: {
    code: 4408,
    pageAction: 'offer-reopen',
    text: 'The console was closed because nobody used it for a while.',
  },
  not_running: { code: 4409, pageAction: 'wait-for-machine', text: 'The machine is not running.' },
  time_limit: { code: 4410, pageAction: 'show-message', text: 'The time for this console is over.' },
  ended_by_operator: {
    code: 4423,
    pageAction: 'show-message',
    text: 'The console was ended by an operator or instructor.',
  },
  too_many: { code: 4429, pageAction: 'offer-reopen', text: 'Too many consoles are open.' },
  upstream: { code: 4502, pageAction: 'offer-reopen', text: 'Proxmox refused to open the console.' },
  no_slot: { code: 4503, pageAction: 'retry', text: 'The node has no free console slot.' },
  timeout: { code: 4504, pageAction: 'retry', text: 'Proxmox or the machine did not answer in time.' },
} as const satisfies Record<string, CloseCode>;

export type CloseName = keyof typeof closeCodes;

/** The reason beside `ended_by_operator` when the person ended it: then there is no instructor to ask, but a way to sign in. */
export const signedOutReason = 'You were signed out.';

const namesByCode = new Map<number, CloseName>(
  (Object.keys(closeCodes) as CloseName[]).map((name) => [closeCodes[name].code, name]),
);

/** The name of a close code, or undefined for one that is not ours (1006 above all). */
export function closeNameOf(code: number): CloseName | undefined {
  return namesByCode.get(code);
}
