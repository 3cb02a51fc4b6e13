import type { Session } from '../api.ts';
import type { StatusMessage } from './status-message.ts';

type ConfirmationText = StatusMessage & { readonly confirmLabel: string };

export function displayName({ user }: Pick<Session, 'user'>): string {
  return user.displayName ?? user.name;
}

/** "Ann, Ben and 2 others are observing", or undefined without observers. `others` are not named. */
export function observersText({
  by,
  others,
}: {
  readonly by: readonly string[];
  readonly others: number;
}): string | undefined {
  const names = [...by, ...(others > 0 ? [others === 1 ? '1 other' : `${others} others`] : [])];
  const last = names.pop();
  if (last === undefined) return undefined;
  if (names.length === 0) return `${last} ${others > 1 ? 'are' : 'is'} observing`;
  return `${names.join(', ')} and ${last} are observing`;
}

/** The user's tab is hidden, and the console is closed until the user returns. */
export const parkedFact = 'paused';

/** How long ago `since` was: "just now", "5 min", "2 h 10 min". */
export function elapsedText(since: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** The traffic in both directions, in decimal units: "12 MB". */
export function trafficText({ toViewer, toMachine }: Session['bytes']): string {
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

export function sessionCount(consoles: number, people: number): string {
  if (consoles === 0) return noSessions;
  return `${consoles === 1 ? '1 console' : `${consoles} consoles`}, ${people === 1 ? '1 person' : `${people} people`}`;
}

export const noSessions = 'No open consoles';

export function endConfirmation(session: Session): ConfirmationText {
  return session.mine
    ? {
        title: `End your console on ${session.machine.name}?`,
        advice: 'The machine keeps running.',
        confirmLabel: 'End console',
      }
    : {
        title: `End the console of ${displayName(session)} on ${session.machine.name}?`,
        advice:
          'The console closes immediately. The machine keeps running, and the user can reopen the console.',
        confirmLabel: 'End console',
      };
}

export function endClassConfirmation(title: string, count: number): ConfirmationText {
  return {
    title: `End ${count === 1 ? 'one console' : `all ${count} consoles`} of ${title}?`,
    advice: 'The consoles close immediately. The machines keep running, and users can reopen their consoles.',
    confirmLabel: 'End consoles',
  };
}

export function signOutConfirmation(session: Session): ConfirmationText {
  return {
    title: `Sign ${displayName(session)} out everywhere?`,
    advice:
      'All consoles of this user close immediately. The user can sign in again while the account is valid.',
    confirmLabel: 'Sign out',
  };
}

export const endError = 'The request failed. Try again in a moment.';
