import type { ClassDetails, Member, Seat } from '../class-types.ts';
import { listedNames } from './listed-names.ts';
import type { StatusMessage } from './status-message.ts';

/** The texts of the page for instructors. */
export const seatStates = { off: 'Off', free: 'On, no console', open: 'Console open' } as const;

export function memberName({ displayName, name }: Member): string {
  return displayName ?? name;
}

/** The member of the seat, or its machine. */
export function seatName({ member, machine }: Seat): string {
  return member ? memberName(member) : machine.name;
}

export function classCount({ seats, hands }: Pick<ClassDetails, 'seats' | 'hands'>): string {
  const open = seats.filter(({ state }) => state === 'open').length;
  const consoles = `${open} of ${seats.length} ${seats.length === 1 ? 'seat' : 'seats'} with an open console`;
  if (hands.length === 0) return consoles;
  return `${consoles}, ${hands.length === 1 ? '1 raised hand' : `${hands.length} raised hands`}`;
}

/** For screen readers: who asks for help. */
export function handsText(hands: ClassDetails['hands']): string {
  return hands.length === 0
    ? ''
    : `${listedNames(hands.map(({ user }) => memberName(user)))} ${hands.length === 1 ? 'asks' : 'ask'} for help.`;
}

/** "The lesson ends at 09:30." in local time. */
export function lessonText({ now, next }: NonNullable<ClassDetails['lesson']>): string {
  if (now) return now.until ? `The lesson ends ${whenText(now.until)}.` : 'A lesson is on.';
  return next ? `The next lesson begins ${whenText(next.from)}.` : 'No lesson in the next days.';
}

function whenText(iso: string): string {
  const time = new Date(iso);
  const clock = time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const isToday = time.toDateString() === new Date().toDateString();
  const day = time.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
  return isToday ? `at ${clock}` : `on ${day} at ${clock}`;
}

export function startProgress(progress: NonNullable<ClassDetails['starting']>): string {
  const { total, started, failed, running } = progress;
  const failures = failed === 0 ? '' : ` ${failed === 1 ? '1 machine' : `${failed} machines`} did not start.`;
  if (running) return `Starting machines: ${started} of ${total} done.${failures}`;
  if (started + failed < total) return `The start was interrupted: ${started} of ${total} done.${failures}`;
  if (total === 0) return 'All machines run already.';
  return `${started} of ${total} ${total === 1 ? 'machine' : 'machines'} started.${failures}`;
}

/** The button that sends a message. `names`: the marked members. */
export function sendLabel(names: readonly string[]): string {
  return names.length === 0 ? 'Send to all' : `Send to ${listedNames(names)}`;
}

export function sentText(names: readonly string[]): string {
  return names.length === 0 ? 'Sent to all members.' : `Sent to ${listedNames(names)}.`;
}

export function minutesText(seconds: number): string {
  const minutes = seconds / 60;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

export function endClassConfirmation(title: string, open: number): StatusMessage & { confirmLabel: string } {
  return {
    title: `End ${title} in one minute?`,
    advice: `${open === 1 ? 'One console' : `${open} consoles`} of members ${open === 1 ? 'closes' : 'close'} after a notice. The machines keep running.`,
    confirmLabel: 'End class',
  };
}

export const noClasses = {
  title: 'You instruct no class',
  advice: 'Classes appear here when the access rules name you as an instructor.',
} as const;

export const actionError = 'The request failed. Try again in a moment.';

export function shownToClassText({ name, by }: NonNullable<ClassDetails['shown']>): string {
  return by === undefined ? `All members see ${name}.` : `${by} shows ${name} to all members.`;
}
