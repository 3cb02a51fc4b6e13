import { terminalEndedReason, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { Problem } from '../api.ts';
import { unitText } from '../language/formats.ts';
import { t, type PlainKey } from '../language/t.ts';
import { closeText, problemTitle } from './server-texts.ts';
import { statusMessage, type StatusMessage } from './status-message.ts';

/** The advice for each close code. The title is the relay's reason, which names the limit or the user who ended it. */
const adviceFor = {
  ended: ['message.opensWhenStarted'],
  protocol: ['advice.protocol', 'advice.contactSupport'],
  too_big: ['advice.too_big', 'advice.contactSupport'],
  internal: ['advice.tryAgain', 'advice.contactSupport'],
  moving: ['advice.moving'],
  try_later: ['advice.try_later', 'advice.retries'],
  grant: ['advice.grant'],
  forbidden: ['advice.forbidden'],
  not_found: ['advice.not_found'],
  no_console: ['advice.no_console'],
  terminal_only: ['advice.terminal_only'],
  idle: ['advice.idle'],
  not_running: ['message.opensWhenStarted'],
  time_limit: ['advice.time_limit'],
  ended_by_operator: ['advice.ended_by_operator'],
  too_many: ['advice.too_many'],
  upstream: ['advice.tryAgain', 'advice.contactSupport'],
  no_slot: ['advice.no_slot', 'advice.retries'],
  timeout: ['advice.retries'],
  not_recorded: ['advice.not_recorded'],
} as const satisfies Record<CloseName, readonly PlainKey[]>;

const machineOff = statusMessage('message.machineOff', 'message.opensWhenStarted');

export function messageForClose(name: CloseName, reason: string): StatusMessage {
  if (name === 'ended' || name === 'not_running') return machineOff;
  return statusMessage(() => closeText(name, reason), ...adviceFor[name]);
}

/** For `terminal_only`, if the user may not open terminals. */
export function withoutTerminal(message: StatusMessage): StatusMessage {
  return statusMessage(() => message.title, 'message.terminalNotAllowed');
}

export const connectionLost = statusMessage('message.lost', 'message.reconnects');
export const offline = statusMessage('message.offline', 'message.offlineAdvice');
export const signedOut = statusMessage('message.signedOut', 'message.signedOutAdvice');

/** An operator has signed the user out. */
export function signedOutByOperator(reason: string): StatusMessage {
  return statusMessage(() => closeText('ended_by_operator', reason), 'message.signedOutAdvice');
}

export const terminalEnded = statusMessage(
  () => closeText('ended', terminalEndedReason),
  'message.terminalAgain',
);
export const consentRequired = statusMessage('message.consent', 'message.consentAdvice');
export const invalidAddress = statusMessage('message.badAddress', 'message.badAddressAdvice');

export function messageForProblem(problem: Problem): StatusMessage {
  switch (problem.code) {
    case 'network':
      return statusMessage('portholeSilent', 'message.reconnects');
    case 'not_signed_in':
    case 'signed_out':
      return signedOut;
    case 'rate_limited':
      return statusMessage('message.tooMany', 'message.tooManyAdvice');
    case 'machine_not_found':
    case 'not_found':
      return statusMessage('message.noMachine', ...adviceFor.not_found);
    case 'embed_token_invalid':
      return statusMessage('message.badLink', 'message.badLinkAdvice');
    case 'not_allowed':
      return statusMessage('message.notAllowed', ...adviceFor.forbidden);
    case 'machine_stopped':
    case 'machine_ended':
      return machineOff;
    case 'user_limit':
    case 'machine_limit':
      return statusMessage(() => problemTitle(problem) ?? closeText('too_many', ''), ...adviceFor.too_many);
    default:
      return statusMessage(() => problemTitle(problem) ?? t('message.problem'), 'advice.retries');
  }
}

/** The steps that the card of an opening console lists. */
export const progressSteps = {
  requesting: 'step.requesting',
  connecting: 'step.connecting',
  opening: 'step.opening',
  'awaiting-frame': 'step.awaiting-frame',
} as const satisfies Record<string, PlainKey>;

export function openingStepText(step: OpeningStep | undefined): string {
  return t(step ? `step.${step}` : 'step.opening');
}

export function queueText(position: number, waitSeconds: number | undefined): string {
  const place = queuePlace(position - 1);
  return waitSeconds === undefined ? place : t('queue.wait', { place, wait: expectedWait(waitSeconds) });
}

function queuePlace(ahead: number): string {
  return ahead <= 0 ? t('queue.next') : t('queue.ahead', { count: ahead });
}

/** Rounded up in steps, because the pace of a queue varies. */
function expectedWait(seconds: number): string {
  if (seconds <= 10) return t('queue.fewSeconds');
  return t('queue.about', {
    time:
      seconds <= 50
        ? unitText(Math.ceil(seconds / 10) * 10, 'second')
        : unitText(Math.ceil(seconds / 60), 'minute'),
  });
}

export function countdown(seconds: number): string {
  return seconds <= 0 ? t('console.tryingNow') : t('console.tryingIn', { seconds });
}

/** Minutes and seconds: "1:05". */
export function timeLeft(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The state that the toolbar shows beside the machine's name. */
export const toolbarStates = {
  requesting: 'state.opening',
  connecting: 'state.opening',
  queued: 'state.queued',
  opening: 'state.opening',
  'awaiting-frame': 'state.opening',
  open: 'state.open',
  parked: 'state.parked',
  'machine-off': 'state.machine-off',
  retrying: 'state.retrying',
  ended: 'state.ended',
} as const satisfies Record<string, PlainKey>;
