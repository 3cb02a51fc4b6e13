import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { Notice, OpeningStep } from '@porthole/shared/protocol/control-messages';
import type { Factor, PowerAction, Problem, Session } from './api.ts';
import type { SignInReason } from './paths.ts';

/** Every sentence that a person reads, in one place: plain words, what happened first, what to do second. */

export interface StatusMessage {
  readonly title: string;
  readonly advice: string;
}

const tellSupport = 'If it happens again, give the support number below to whoever runs this service.';

/** What to do about each close code; the title is the shared table's sentence unless the relay says more. */
const adviceFor = {
  ended: 'It opens here by itself as soon as it runs.',
  protocol: `Reload this page. ${tellSupport}`,
  too_big: `Try again with less at a time. ${tellSupport}`,
  internal: `Try again. ${tellSupport}`,
  moving: 'Reconnecting.',
  try_later: 'Nothing is lost. We try again by ourselves.',
  grant: 'Open it again from your machines.',
  forbidden: 'If you need it, ask whoever assigned the machine to you.',
  not_found: 'Look for it in your list of machines. If it is gone, ask whoever assigned it to you.',
  idle: 'The machine is still running. Open the console again to go on.',
  not_running: 'It opens here by itself as soon as it runs.',
  time_limit: 'Ask your instructor if you need more time.',
  ended_by_operator: 'Ask your instructor before you open it again.',
  too_many: 'Close a console that you do not need, or try again in a while.',
  upstream: `Try again. ${tellSupport}`,
  no_slot: 'Many people are opening consoles at this moment. We try again by ourselves.',
  timeout: 'We try again by ourselves.',
} as const satisfies Record<CloseName, string>;

const machineOff: StatusMessage = { title: 'The machine is off.', advice: adviceFor.not_running };

/** `reason` is the relay's own short sentence; it knows which limit was hit or who ended the console. */
export function messageForClose(name: CloseName, reason: string): StatusMessage {
  if (name === 'ended' || name === 'not_running') return machineOff;
  return { title: sentence(reason) ?? closeCodes[name].text, advice: adviceFor[name] };
}

export const connectionLost: StatusMessage = {
  title: 'The connection was lost.',
  advice: 'The machine keeps running. We try again by ourselves.',
};

export const offline: StatusMessage = {
  title: 'You are offline.',
  advice: 'The machine keeps running. The console comes back as soon as your network does.',
};

export const signedOut: StatusMessage = { title: 'You are signed out.', advice: 'Sign in again to go on.' };

export const unreadableAddress: StatusMessage = {
  title: 'This address leads nowhere.',
  advice: 'Open the console from your list of machines.',
};

export function messageForProblem(problem: Problem): StatusMessage {
  switch (problem.code) {
    case 'network':
      return { title: 'Porthole does not answer.', advice: connectionLost.advice };
    case 'not_signed_in':
    case 'signed_out':
      return signedOut;
    case 'rate_limited':
      return { title: 'That were many tries in a short time.', advice: 'We try again after a short pause.' };
    case 'machine_not_found':
    case 'not_found':
      return { title: 'This machine does not exist or is not yours.', advice: adviceFor.not_found };
    case 'embed_token_invalid':
      return {
        title: 'This link was already used or is too old.',
        advice: 'Open the console again where you found it.',
      };
    case 'not_allowed':
      return { title: 'You may not open this console.', advice: adviceFor.forbidden };
    case 'machine_stopped':
    case 'machine_ended':
      return machineOff;
    case 'user_limit':
    case 'machine_limit':
      return { title: problem.title ?? closeCodes.too_many.text, advice: adviceFor.too_many };
    default:
      return {
        title: sentence(problem.title ?? '') ?? 'Porthole has a problem at the moment.',
        advice: 'We try again by ourselves.',
      };
  }
}

/** Some text from outside, trimmed and ended with a full stop; undefined if there is none. */
function sentence(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

export const progress = {
  asking: 'Asking for permission',
  connecting: 'Connecting',
  opening: 'Opening the console',
  picture: 'Waiting for the picture',
} as const;

export const openingSteps = {
  status: 'Checking that the machine runs',
  console: 'Asking Proxmox for the console',
  connect: 'Connecting to the server it runs on',
  authenticate: 'Unlocking the console',
} as const satisfies Record<OpeningStep, string>;

export function queueText(position: number): string {
  const before = position - 1;
  if (before <= 0) return 'You are next';
  return before === 1 ? '1 person before you' : `${before} people before you`;
}

export const slowPicture = 'The machine has not drawn anything yet. Its screen may be asleep.';

export function countdown(seconds: number): string {
  return seconds <= 0 ? 'Trying again now' : `Trying again in ${seconds} s`;
}

export const noticeText = {
  idle: 'Are you still there? Nobody uses this console, so it closes soon.',
  time: 'The time for this console is nearly over.',
} as const satisfies Record<Notice, string>;

/** Who looks on at the machine while one works there; undefined when nobody does. */
export function observersText({ by, others }: { by: readonly string[]; others: number }): string | undefined {
  const names = [...by, ...(others > 0 ? [others === 1 ? '1 other' : `${others} others`] : [])];
  const last = names.pop();
  if (last === undefined) return undefined;
  if (names.length === 0) return `${last} ${others > 1 ? 'are' : 'is'} watching`;
  return `${names.join(', ')} and ${last} are watching`;
}

export const extendLabel = 'Keep it open';

export function timeLeft(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export const typeLabels = {
  qemu: 'Virtual machine',
  lxc: 'Container',
  node: 'Shell of a node',
} as const;

export const statusLabels: Readonly<Record<string, string>> = {
  running: 'Running',
  stopped: 'Off',
  paused: 'Paused',
  suspended: 'Asleep',
  prelaunch: 'Starting',
  unknown: 'Unknown',
};

export function statusLabel(status: string): string {
  return statusLabels[status] ?? status.charAt(0).toUpperCase() + status.slice(1);
}

/** Beside the machine's name in the toolbar. */
export const toolbarStates = {
  asking: 'Opening',
  connecting: 'Opening',
  queued: 'Waiting in line',
  opening: 'Opening',
  picture: 'Opening',
  open: 'Connected',
  waiting: 'Off',
  retrying: 'Not connected',
  ended: 'Closed',
} as const;

export const signInIntro = 'Your machines are right behind this door.';

/** Among other places where an account may be. */
export const localAccounts = 'Porthole';

export const secondFactorIntro = 'Now the second step.';

export const factorLabels = {
  totp: { label: 'Code from your authenticator app', instead: 'Use the authenticator app' },
  recovery: { label: 'Recovery key', instead: 'Use a recovery key' },
  yubico: { label: 'Code from your YubiKey', instead: 'Use a YubiKey' },
} as const satisfies Record<Factor, { readonly label: string; readonly instead: string }>;

export const signInNotes = {
  needed: 'Then your console opens.',
  expired: 'You were signed out. Sign in again to go on where you were.',
  'signed-out': 'You have signed out.',
  sign_in_refused:
    'The sign-in service did not let you in. If you think that it should, ask whoever runs it.',
  sign_in_expired: 'That took too long, or was begun in another browser. Try again.',
  sign_in_provider_unavailable: 'The sign-in service does not answer at the moment. Try again soon.',
  rate_limited: 'Many people are signing in at this moment. Wait a little, then try again.',
} as const satisfies Record<SignInReason, string>;

export function signInProblem(problem: Problem): string {
  switch (problem.code) {
    case 'wrong_password':
    case 'not_signed_in':
      return 'The name or the password is wrong.';
    case 'wrong_code':
      return 'The code is wrong or was used already.';
    case 'second_factor_unusable':
      return 'Your second factor only works on the pages of Proxmox. Add an authenticator app or recovery keys there.';
    case 'sign_in_expired':
      return 'That took too long. Sign in again.';
    case 'proxmox_unreachable':
    case 'proxmox_timeout':
      return 'The server that knows your account does not answer. Try again soon.';
    case 'rate_limited':
      return problem.retryAfter === undefined
        ? 'Too many tries. Wait a moment, then try again.'
        : `Too many tries. Wait ${problem.retryAfter} s, then try again.`;
    case 'network':
      return 'Porthole does not answer. Check your network and try again.';
    default:
      return 'Signing in does not work at the moment. Try again soon.';
  }
}

interface HasStatus {
  readonly name: string;
  readonly status: string;
}

export function countText(machines: readonly HasStatus[]): string {
  if (machines.length === 0) return '';
  const running = machines.filter((machine) => machine.status === 'running').length;
  return `${machines.length} ${machines.length === 1 ? 'machine' : 'machines'}, ${running} running`;
}

/** Above a list that may be out of date or is not whole. */
export function staleText(list: { readonly staleSeconds?: number; readonly incomplete?: boolean }): string {
  const missing = list.incomplete ? ' Some machines are missing until then.' : '';
  if (list.staleSeconds === undefined)
    return `A part of Proxmox does not answer at the moment; we keep trying.${missing}`;
  return `Proxmox does not answer at the moment. What you see is from ${ago(list.staleSeconds)}; we keep trying.${missing}`;
}

/** Above a list that could not be brought up to date: which part of the way failed. */
export function listProblem({ code }: Problem): string {
  const who = code.startsWith('proxmox_')
    ? 'Proxmox does not answer as it should'
    : 'Porthole does not answer';
  return `${who}. You see what was known last; we keep trying.`;
}

/** In place of a list that never came. */
export function listMissingText({ code, title }: Problem): string {
  if (!code.startsWith('proxmox_'))
    return 'Porthole does not answer as it should. We keep trying; you can also try now.';
  return `${sentence(title ?? '') ?? 'Proxmox does not answer.'} We keep trying; you can also try now.`;
}

function ago(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? 'a second ago' : `${seconds} seconds ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`;
}

/** When a whole class starts, one sentence is enough. */
export function announceChanges(machines: readonly HasStatus[]): string {
  if (machines.length > 3) return `${machines.length} machines changed their status.`;
  return machines
    .map((machine) => `${machine.name} is now ${statusLabel(machine.status).toLowerCase()}.`)
    .join(' ');
}

export const powerLabels = {
  start: 'Start',
  shutdown: 'Shut down',
  reboot: 'Reboot',
  reset: 'Reset',
  stop: 'Stop',
} as const satisfies Record<PowerAction, string>;

export const powerHints = {
  start: 'Switches it on.',
  shutdown: 'Asks its system to end.',
  reboot: 'Asks its system to begin anew.',
  reset: 'As its reset button would. Unsaved work is lost.',
  stop: 'Pulls the plug. Unsaved work is lost.',
} as const satisfies Record<PowerAction, string>;

/** While it is going on. */
export const powerProgress = {
  start: 'Starting…',
  shutdown: 'Shutting down…',
  reboot: 'Rebooting…',
  reset: 'Resetting…',
  stop: 'Stopping…',
} as const satisfies Record<PowerAction, string>;

export function powerConfirmation(
  action: PowerAction,
  name: string,
): StatusMessage & { readonly confirmLabel: string } {
  return {
    title: `${powerLabels[action]} ${name}?`,
    advice:
      action === 'stop'
        ? 'This is like pulling the plug: whatever is not saved in the machine is lost.'
        : 'This is like its reset button: whatever is not saved in the machine is lost.',
    confirmLabel: powerLabels[action],
  };
}

export function powerError(action: PowerAction, name: string, problem: Problem): string {
  const why = problem.code === 'network' ? 'Porthole does not answer.' : sentence(problem.title ?? '');
  const what = `${name}: ${powerLabels[action].toLowerCase()} did not work.`;
  const support = problem.requestId === undefined ? '' : ` Support number ${problem.requestId}.`;
  return `${what} ${why ?? 'Try again in a moment.'}${support}`;
}

export function displayName({ user }: Pick<Session, 'user'>): string {
  return user.displayName ?? user.name;
}

/** "now", "5 min", "2 h 10 min": how long ago that was. */
export function elapsedText(since: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

export function dataText({ toViewer, toMachine }: Session['bytes']): string {
  const bytes = toViewer + toMachine;
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`;
}

export function endConfirmation(session: Session): StatusMessage & { readonly confirmLabel: string } {
  return session.mine
    ? {
        title: `End your console on ${session.machine.name}?`,
        advice: 'The machine keeps running.',
        confirmLabel: 'End console',
      }
    : {
        title: `End the console of ${displayName(session)} on ${session.machine.name}?`,
        advice: 'It closes at once. The machine keeps running, and they may open it again.',
        confirmLabel: 'End console',
      };
}

export function signOutConfirmation(session: Session): StatusMessage & { readonly confirmLabel: string } {
  return {
    title: `Sign ${displayName(session)} out everywhere?`,
    advice: 'All their consoles close at once, on every machine. They may sign in again, if they still can.',
    confirmLabel: 'Sign out',
  };
}

export function endClassConfirmation(
  title: string,
  count: number,
): StatusMessage & { readonly confirmLabel: string } {
  return {
    title: `End ${count === 1 ? 'one console' : `all ${count} consoles`} of ${title}?`,
    advice: 'They close at once. The machines keep running, and people may open them again.',
    confirmLabel: 'End consoles',
  };
}

export function sessionCount(sessions: readonly unknown[], people: number): string {
  if (sessions.length === 0) return 'Nobody has a console open';
  const consoles = sessions.length === 1 ? '1 console' : `${sessions.length} consoles`;
  return `${consoles}, ${people === 1 ? '1 person' : `${people} people`}`;
}

export const endError = 'That did not work. Try again in a moment.';
