import { closeCodes, terminalEndedReason, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { Notice, OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { Problem } from '../api.ts';
import { sentence, type StatusMessage } from './status-message.ts';

const contactSupport = 'If the problem persists, contact support and give them the number below.';
const retriesAutomatically = 'Porthole retries automatically.';
const opensWhenStarted = 'The console opens automatically when the machine starts.';

/** The advice for each close code. The title is the shared table's sentence unless the relay sends its own. */
const adviceFor = {
  ended: opensWhenStarted,
  protocol: `Reload this page. ${contactSupport}`,
  too_big: `Paste less text at a time. ${contactSupport}`,
  internal: `Try again. ${contactSupport}`,
  moving: 'Reconnecting…',
  try_later: `The machine keeps running. ${retriesAutomatically}`,
  grant: 'Open the console again from your list of machines.',
  forbidden: 'If you need access, ask your instructor or administrator.',
  not_found: 'Check your list of machines. If the machine is missing, ask your instructor or administrator.',
  no_console: 'Ask your instructor or administrator.',
  terminal_only: 'Open its terminal instead.',
  idle: 'The machine is still running. Open the console again to continue.',
  not_running: opensWhenStarted,
  time_limit: 'If you need more time, ask your instructor.',
  ended_by_operator: 'Ask your instructor before you open the console again.',
  too_many: 'Close a console that you no longer need, or try again later.',
  upstream: `Try again. ${contactSupport}`,
  no_slot: `Many consoles are opening right now. ${retriesAutomatically}`,
  timeout: retriesAutomatically,
  not_recorded: 'Try again later, or ask your instructor or administrator.',
} as const satisfies Record<CloseName, string>;

const machineOff: StatusMessage = { title: 'The machine is off.', advice: adviceFor.not_running };

/** `reason` is the relay's own sentence, which names the limit that was reached or the user who ended the console. */
export function messageForClose(name: CloseName, reason: string): StatusMessage {
  if (name === 'ended' || name === 'not_running') return machineOff;
  return { title: sentence(reason) ?? closeCodes[name].text, advice: adviceFor[name] };
}

/** The advice for `terminal_only` if the user may not open terminals. */
export const terminalNotAllowed = 'If you need its terminal, ask your instructor or administrator.';

export const connectionLost: StatusMessage = {
  title: 'Connection lost.',
  advice: 'The machine keeps running. Porthole reconnects automatically.',
};

/** The title while an attempt to reconnect is under way. */
export const reconnectingTitle = 'Connection lost. Reconnecting…';

/** While the console of a hidden page is parked, and until it is open again. */
export const parkedText = 'Paused while this tab was hidden.';

export const offline: StatusMessage = {
  title: 'You are offline.',
  advice: 'The machine keeps running. Porthole reconnects when your network is back.',
};

export const signedOut: StatusMessage = {
  title: 'You are signed out.',
  advice: 'Sign in again to continue.',
};

export const terminalEnded: StatusMessage = {
  title: terminalEndedReason,
  advice: 'Open the terminal again to continue.',
};

export const consentRequired: StatusMessage = {
  title: 'This console is recorded.',
  advice:
    'What the console shows is recorded, and when you use keyboard and mouse. It opens if you agree to that.',
};

export const recordedText = 'This console is recorded';
export const notRecordedText = 'This console is not recorded: recordings cannot be stored';

export const invalidAddress: StatusMessage = {
  title: 'This address is not valid.',
  advice: 'Open the console from your list of machines.',
};

export function messageForProblem(problem: Problem): StatusMessage {
  switch (problem.code) {
    case 'network':
      return { title: 'Porthole is not responding.', advice: connectionLost.advice };
    case 'not_signed_in':
    case 'signed_out':
      return signedOut;
    case 'rate_limited':
      return { title: 'Too many attempts.', advice: 'Porthole tries again after a short pause.' };
    case 'machine_not_found':
    case 'not_found':
      return {
        title: 'This machine does not exist, or you have no access to it.',
        advice: adviceFor.not_found,
      };
    case 'embed_token_invalid':
      return {
        title: 'This link was already used or has expired.',
        advice: 'Open the console again from the page that linked to it.',
      };
    case 'not_allowed':
      return { title: 'You are not allowed to open this console.', advice: adviceFor.forbidden };
    case 'machine_stopped':
    case 'machine_ended':
      return machineOff;
    case 'user_limit':
    case 'machine_limit':
      return { title: problem.title ?? closeCodes.too_many.text, advice: adviceFor.too_many };
    default:
      return {
        title: sentence(problem.title ?? '') ?? 'Porthole has a problem.',
        advice: retriesAutomatically,
      };
  }
}

export const progressSteps = {
  requesting: 'Requesting access',
  connecting: 'Connecting',
  opening: 'Opening the console',
  'awaiting-frame': 'Waiting for the screen',
} as const;

export const openingSteps = {
  status: 'Checking that the machine is running',
  console: 'Requesting the console from Proxmox',
  connect: "Connecting to the machine's node",
  authenticate: 'Authenticating',
} as const satisfies Record<OpeningStep, string>;

export function queueText(position: number, waitSeconds: number | undefined): string {
  const place = queuePlace(position - 1);
  return waitSeconds === undefined ? place : `${place}, expected wait ${expectedWait(waitSeconds)}`;
}

function queuePlace(ahead: number): string {
  if (ahead <= 0) return 'You are next in the queue';
  return ahead === 1 ? '1 person ahead of you' : `${ahead} people ahead of you`;
}

/** Rounded up in steps, because the pace of a queue varies. */
function expectedWait(seconds: number): string {
  if (seconds <= 10) return 'a few seconds';
  if (seconds <= 50) return `about ${Math.ceil(seconds / 10) * 10} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? 'about 1 minute' : `about ${minutes} minutes`;
}

export const slowFrame = 'The machine has not sent a picture yet. Its screen may be asleep.';

export const unansweredText =
  'The terminal does not answer. Its program may be busy. If it stays silent, tell your administrator.';

/** While the relay opens the console again, and the last picture stays. */
export const screenReconnecting = 'Reconnecting to the machine…';

export const startingText = 'The machine is starting. The console opens automatically.';

export function countdown(seconds: number): string {
  return seconds <= 0 ? 'Trying again now' : `Trying again in ${seconds} s`;
}

export const noticeText = {
  idle: 'Are you still there? This console is not in use and closes soon.',
  time: 'Your time for this console is almost over.',
  class: 'The class ends soon. Your console closes, and the machine keeps running.',
} as const satisfies Record<Notice, string>;

export const extendLabel = 'Stay connected';

/** Minutes and seconds: "1:05". */
export function timeLeft(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The state that the toolbar shows beside the machine's name. */
export const toolbarStates = {
  requesting: 'Opening',
  connecting: 'Opening',
  queued: 'In the queue',
  opening: 'Opening',
  'awaiting-frame': 'Opening',
  open: 'Connected',
  parked: 'Paused',
  'machine-off': 'Off',
  retrying: 'Not connected',
  ended: 'Closed',
} as const;
