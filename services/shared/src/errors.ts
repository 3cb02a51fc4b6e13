import { signedOutReason, type CloseName } from './protocol/close-codes.ts';

/**
 * Every error that leaves Porthole, as a closed list: the stable `code` of problem+json answers, its HTTP
 * status, the close code that says the same on a WebSocket, and a text that is safe to show to anybody.
 * What must stay private (hosts, Proxmox's own words) goes into `detail` or `cause`, which only the log sees.
 */
export interface ErrorKind {
  readonly status: number;
  readonly close: CloseName;
  readonly text: string;
}

export const errorKinds = {
  bad_request: { status: 400, close: 'protocol', text: 'The request is not valid.' },
  not_signed_in: { status: 401, close: 'forbidden', text: 'Sign in first.' },
  wrong_password: { status: 401, close: 'forbidden', text: 'The user name or the password is wrong.' },
  wrong_code: { status: 401, close: 'forbidden', text: 'The code is wrong or was used already.' },
  second_factor_unusable: {
    status: 403,
    close: 'forbidden',
    text: 'Your second factor works on the pages of Proxmox only. Add an authenticator app or recovery keys there.',
  },
  sign_in_refused: {
    status: 403,
    close: 'forbidden',
    text: 'The sign-in service did not let you in.',
  },
  sign_in_expired: {
    status: 400,
    close: 'forbidden',
    text: 'The sign-in took too long, or was begun in another browser. Try again.',
  },
  sign_in_provider_unavailable: {
    status: 502,
    close: 'try_later',
    text: 'The sign-in service can not be reached, or answered with something unexpected.',
  },
  identity_header_untrusted: {
    status: 403,
    close: 'forbidden',
    text: 'This request claims an identity that only the proxy may claim.',
  },
  token_invalid: { status: 401, close: 'forbidden', text: 'The token is not valid here.' },
  embed_token_invalid: {
    status: 401,
    close: 'forbidden',
    text: 'This link was already used or is too old. Open the console again where you found it.',
  },
  impersonation_not_allowed: {
    status: 403,
    close: 'forbidden',
    text: 'This program may not act for that user.',
  },
  cross_site: { status: 403, close: 'forbidden', text: 'This request did not come from our own pages.' },
  origin_not_allowed: {
    status: 403,
    close: 'forbidden',
    text: 'This console may not be opened from that site.',
  },
  not_allowed: { status: 403, close: 'forbidden', text: 'You may not do this with this machine.' },
  not_found: { status: 404, close: 'not_found', text: 'There is nothing here.' },
  machine_not_found: {
    status: 404,
    close: 'not_found',
    text: 'This machine does not exist or is not yours.',
  },
  method_not_allowed: { status: 405, close: 'protocol', text: 'This address does not take that method.' },
  machine_stopped: { status: 409, close: 'not_running', text: 'The machine is not running.' },
  machine_running: { status: 409, close: 'try_later', text: 'The machine is running already.' },
  machine_locked: {
    status: 409,
    close: 'try_later',
    text: 'The machine is busy: it is backed up, moved or changed at this moment.',
  },
  machine_ended: { status: 409, close: 'ended', text: 'The machine was shut down.' },
  body_too_large: { status: 413, close: 'too_big', text: 'The request is too large.' },
  wrong_media_type: { status: 415, close: 'protocol', text: 'Send JSON.' },
  rate_limited: { status: 429, close: 'try_later', text: 'Too many tries. Wait a moment.' },
  user_limit: { status: 429, close: 'too_many', text: 'You have too many consoles open. Close one first.' },
  machine_limit: { status: 429, close: 'too_many', text: 'Too many people have this machine open.' },
  relay_full: {
    status: 503,
    close: 'too_many',
    text: 'Too many consoles are open at the moment. Try again soon.',
  },
  grant_invalid: { status: 401, close: 'grant', text: 'This console link was already used or is too old.' },
  viewer_protocol: { status: 400, close: 'protocol', text: 'The viewer broke the protocol.' },
  viewer_message_too_big: {
    status: 413,
    close: 'too_big',
    text: 'The viewer sent a message that is too big.',
  },
  viewer_stalled: { status: 408, close: 'try_later', text: 'Your connection was too slow for a while.' },
  idle: { status: 408, close: 'idle', text: 'Closed because nobody used it for a while.' },
  time_limit: { status: 403, close: 'time_limit', text: 'The time for this console is over.' },
  ended_by_operator: { status: 403, close: 'ended_by_operator', text: 'Ended by an operator or instructor.' },
  taken_over: { status: 409, close: 'ended_by_operator', text: 'The console went on in another window.' },
  signed_out: { status: 401, close: 'ended_by_operator', text: signedOutReason },
  draining: { status: 503, close: 'moving', text: 'Your console is moving to another server.' },
  store_unavailable: { status: 503, close: 'try_later', text: 'A part of the service is away for a moment.' },
  queue_full: {
    status: 503,
    close: 'no_slot',
    text: 'Too many people are waiting for this node. Try again soon.',
  },
  queue_timeout: { status: 503, close: 'no_slot', text: 'The node had no free console slot in time.' },
  proxmox_credential: { status: 502, close: 'upstream', text: "Proxmox refused Porthole's credential." },
  proxmox_permission: {
    status: 502,
    close: 'upstream',
    text: "Porthole's account lacks a permission at Proxmox.",
  },
  proxmox_tls: { status: 502, close: 'upstream', text: "Proxmox's certificate is not the expected one." },
  proxmox_invalid_response: {
    status: 502,
    close: 'upstream',
    text: 'Proxmox answered with something unexpected.',
  },
  proxmox_unreachable: { status: 504, close: 'timeout', text: 'Proxmox can not be reached.' },
  proxmox_timeout: { status: 504, close: 'timeout', text: 'Proxmox did not answer in time.' },
  power_failed: { status: 502, close: 'upstream', text: 'Proxmox could not do that.' },
  power_timeout: { status: 504, close: 'timeout', text: 'The machine did not do that in time.' },
  console_timeout: { status: 504, close: 'timeout', text: "The machine's screen did not answer in time." },
  console_auth_failed: { status: 502, close: 'upstream', text: "The machine's screen refused the password." },
  terminal_refused: {
    status: 502,
    close: 'upstream',
    text: 'Proxmox hung up instead of opening the terminal.',
  },
  no_terminal: {
    status: 502,
    close: 'upstream',
    text: 'This machine has no serial port, so it has no terminal.',
  },
  console_lost: { status: 504, close: 'timeout', text: 'The connection to the machine was lost.' },
  internal: { status: 500, close: 'internal', text: 'Something went wrong on our side.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export interface ErrorExtra {
  /** For the log only. Never a secret, but free to name hosts and quote Proxmox. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** What this person is told instead of the kind's text: names somebody whom they may know of. */
  readonly publicMessage?: string;
  /** Seconds after which another try makes sense (HTTP Retry-After). */
  readonly retryAfter?: number;
}

export class PortholeError extends Error {
  override readonly name = 'PortholeError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, extra: ErrorExtra = {}) {
    super(extra.publicMessage ?? errorKinds[code].text, { cause: extra.cause });
    this.code = code;
    this.detail = extra.detail;
    this.retryAfter = extra.retryAfter;
  }

  get status(): number {
    return errorKinds[this.code].status;
  }

  get close(): CloseName {
    return errorKinds[this.code].close;
  }
}

/** Whatever was thrown, as one of ours: foreign errors become `internal` and keep their cause for the log. */
export function asPortholeError(thrown: unknown): PortholeError {
  return thrown instanceof PortholeError ? thrown : new PortholeError('internal', { cause: thrown });
}
