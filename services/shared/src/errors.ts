import { signedOutReason, terminalEndedReason, type CloseName } from './protocol/close-codes.ts';

/**
 * All errors that clients see, as a closed list. The stable `code` of problem+json answers has an HTTP status, the
 * corresponding WebSocket close code, and a text that is safe for any user. Private facts such as host names belong in
 * `detail` or `cause`, which only the log shows.
 */
export interface ErrorKind {
  readonly status: number;
  readonly close: CloseName;
  readonly text: string;
}

export const errorKinds = {
  bad_request: { status: 400, close: 'protocol', text: 'The request is invalid.' },
  not_signed_in: { status: 401, close: 'forbidden', text: 'Sign in first.' },
  wrong_password: { status: 401, close: 'forbidden', text: 'The user name or password is incorrect.' },
  wrong_code: { status: 401, close: 'forbidden', text: 'The code is incorrect or was already used.' },
  second_factor_unusable: {
    status: 403,
    close: 'forbidden',
    text: 'Your second factor works only in the Proxmox web interface. Add an authenticator app or recovery keys there.',
  },
  sign_in_refused: {
    status: 403,
    close: 'forbidden',
    text: 'The sign-in provider denied the sign-in.',
  },
  sign_in_expired: {
    status: 400,
    close: 'forbidden',
    text: 'The sign-in took too long or was started in another browser. Try again.',
  },
  sign_in_provider_unavailable: {
    status: 502,
    close: 'try_later',
    text: 'The sign-in provider is unavailable or returned an unexpected response.',
  },
  identity_header_untrusted: {
    status: 403,
    close: 'forbidden',
    text: 'This request has an identity header but does not come from a trusted proxy.',
  },
  token_invalid: { status: 401, close: 'forbidden', text: 'The token is invalid.' },
  embed_token_invalid: {
    status: 401,
    close: 'forbidden',
    text: 'This link was already used or has expired. Go back and open the console again.',
  },
  lti_platform_unknown: {
    status: 403,
    close: 'forbidden',
    text: 'This learning platform is not registered here. Ask your administrator.',
  },
  lti_launch_invalid: {
    status: 403,
    close: 'forbidden',
    text: 'The message of the learning platform is not valid. Ask your administrator.',
  },
  lti_launch_expired: {
    status: 400,
    close: 'forbidden',
    text: 'This launch took too long or was already used. Go back to your course and open the link again.',
  },
  lti_browser_unconfirmed: {
    status: 403,
    close: 'forbidden',
    text: 'Your browser did not confirm that it started this launch. Open the link in a new window, or allow cookies.',
  },
  impersonation_not_allowed: {
    status: 403,
    close: 'forbidden',
    text: 'This program is not allowed to act for that user.',
  },
  cross_site: {
    status: 403,
    close: 'forbidden',
    text: 'The request was rejected because it comes from another site.',
  },
  origin_not_allowed: {
    status: 403,
    close: 'forbidden',
    text: 'Consoles cannot be opened from this site.',
  },
  not_allowed: { status: 403, close: 'forbidden', text: 'You are not allowed to do this with this machine.' },
  not_found: { status: 404, close: 'not_found', text: 'Not found.' },
  machine_not_found: {
    status: 404,
    close: 'not_found',
    text: 'This machine does not exist, or you have no access to it.',
  },
  method_not_allowed: { status: 405, close: 'protocol', text: 'This URL does not support this method.' },
  machine_stopped: { status: 409, close: 'not_running', text: 'The machine is not running.' },
  machine_running: { status: 409, close: 'try_later', text: 'The machine is already running.' },
  machine_locked: {
    status: 409,
    close: 'try_later',
    text: 'The machine is locked by a backup, a migration or another change.',
  },
  machine_ended: { status: 409, close: 'ended', text: 'The machine was shut down.' },
  terminal_ended: { status: 409, close: 'ended', text: terminalEndedReason },
  body_too_large: { status: 413, close: 'too_big', text: 'The request is too large.' },
  wrong_media_type: { status: 415, close: 'protocol', text: 'The request body must be JSON.' },
  rate_limited: { status: 429, close: 'try_later', text: 'Too many attempts. Wait a moment.' },
  user_limit: { status: 429, close: 'too_many', text: 'You have too many consoles open. Close one first.' },
  machine_limit: { status: 429, close: 'too_many', text: 'Too many consoles of this machine are open.' },
  relay_full: {
    status: 503,
    close: 'too_many',
    text: 'Too many consoles are open. Try again soon.',
  },
  grant_invalid: { status: 401, close: 'grant', text: 'This console link was already used or has expired.' },
  viewer_protocol: { status: 400, close: 'protocol', text: 'The viewer violated the protocol.' },
  viewer_message_too_big: {
    status: 413,
    close: 'too_big',
    text: 'The viewer sent a message that is too large.',
  },
  viewer_stalled: { status: 408, close: 'try_later', text: 'Your connection was too slow.' },
  idle: { status: 408, close: 'idle', text: 'Closed due to inactivity.' },
  time_limit: { status: 403, close: 'time_limit', text: 'The time limit for this console was reached.' },
  ended_by_operator: { status: 403, close: 'ended_by_operator', text: 'Ended by an operator or instructor.' },
  taken_over: { status: 409, close: 'ended_by_operator', text: 'The console continues in another window.' },
  signed_out: { status: 401, close: 'ended_by_operator', text: signedOutReason },
  draining: { status: 503, close: 'moving', text: 'Your console is moving to another server.' },
  screen_shared: {
    status: 503,
    close: 'moving',
    text: 'Your console continues on a screen that several viewers share.',
  },
  screen_moved: { status: 503, close: 'moving', text: 'Your console continues at another server.' },
  screen_full: { status: 503, close: 'too_many', text: 'Too many viewers share screens of this server.' },
  /** The relay that owns the machine's console does not answer. The session that forwards to it takes the machine over. */
  owner_unreachable: { status: 503, close: 'moving', text: 'Your console is moving to another server.' },
  unparked: { status: 503, close: 'moving', text: 'Your console is opening again.' },
  store_unavailable: {
    status: 503,
    close: 'try_later',
    text: 'Part of the service is temporarily unavailable.',
  },
  recordings_unavailable: {
    status: 503,
    close: 'try_later',
    text: 'The storage of recordings does not respond. Try again soon.',
  },
  recording_held: {
    status: 409,
    close: 'try_later',
    text: 'The recording is on legal hold. Remove the hold first.',
  },
  recording_running: {
    status: 409,
    close: 'try_later',
    text: 'The console is still open. Its recording can be deleted after it has ended.',
  },
  queue_full: {
    status: 503,
    close: 'no_slot',
    text: 'Too many users are waiting for this node. Try again soon.',
  },
  queue_timeout: { status: 503, close: 'no_slot', text: 'No console slot of the node became free in time.' },
  proxmox_credential: { status: 502, close: 'upstream', text: "Proxmox rejected Porthole's credential." },
  proxmox_permission: {
    status: 502,
    close: 'upstream',
    text: "Porthole's Proxmox account lacks a permission.",
  },
  proxmox_tls: { status: 502, close: 'upstream', text: "Proxmox's certificate is not trusted." },
  proxmox_invalid_response: {
    status: 502,
    close: 'upstream',
    text: 'Proxmox returned an unexpected response.',
  },
  proxmox_unreachable: { status: 504, close: 'timeout', text: 'Proxmox is unreachable.' },
  proxmox_timeout: { status: 504, close: 'timeout', text: 'Proxmox did not respond in time.' },
  recording_unavailable: {
    status: 503,
    close: 'not_recorded',
    text: 'This console must be recorded, and recordings cannot be stored at the moment.',
  },
  recording_stopped: {
    status: 503,
    close: 'not_recorded',
    text: 'This console must be recorded, and its recording has stopped.',
  },
  recording_interrupted: {
    status: 503,
    close: 'moving',
    text: 'The recording of your console was interrupted. The console opens again.',
  },
  consent_required: {
    status: 403,
    close: 'forbidden',
    text: 'This console is recorded. It opens only if you agree.',
  },
  power_failed: { status: 502, close: 'upstream', text: 'Proxmox could not perform the power action.' },
  power_timeout: {
    status: 504,
    close: 'timeout',
    text: 'The machine did not complete the power action in time.',
  },
  console_timeout: { status: 504, close: 'timeout', text: "The machine's console did not respond in time." },
  console_auth_failed: {
    status: 502,
    close: 'upstream',
    text: "The machine's console rejected the password.",
  },
  terminal_refused: {
    status: 502,
    close: 'upstream',
    text: 'Proxmox closed the connection instead of opening the terminal.',
  },
  no_terminal: {
    status: 502,
    close: 'no_console',
    text: 'This machine has no serial port, so it has no terminal.',
  },
  no_display: { status: 502, close: 'no_console', text: 'This machine has no display.' },
  terminal_only: {
    status: 502,
    close: 'terminal_only',
    text: 'This machine has no display, but it has a terminal.',
  },
  console_unresponsive: { status: 502, close: 'upstream', text: 'The machine does not respond.' },
  console_lost: { status: 504, close: 'timeout', text: 'The connection to the machine was lost.' },
  internal: { status: 500, close: 'internal', text: 'An internal error occurred.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export interface ErrorExtra {
  /** For the log only. May name hosts and quote Proxmox, but must not contain a secret. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** Replaces the kind's text for this user. May name an operator, if the configuration allows that. */
  readonly publicMessage?: string;
  /** Seconds until the client should retry (HTTP Retry-After). */
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

/** Converts any thrown value. Foreign errors become `internal`, with the thrown value as cause for the log. */
export function asPortholeError(thrown: unknown): PortholeError {
  return thrown instanceof PortholeError ? thrown : new PortholeError('internal', { cause: thrown });
}
