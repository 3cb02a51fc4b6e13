import type { ClassDetails, Member, Seat } from '../class-types.ts';
import { clockText, dayText, listedNames } from '../language/formats.ts';
import { t } from '../language/t.ts';
import type { StatusMessage } from './status-message.ts';

export function memberName({ displayName, name }: Member): string {
  return displayName ?? name;
}

/** The member of the seat, or its machine. */
export function seatName({ member, machine }: Seat): string {
  return member ? memberName(member) : machine.name;
}

export function classCount({ seats, hands }: Pick<ClassDetails, 'seats' | 'hands'>): string {
  const open = seats.filter(({ state }) => state === 'open').length;
  const consoles = t('class.openSeats', { open, count: seats.length });
  if (hands.length === 0) return consoles;
  return t('joined', { first: consoles, second: t('class.raisedHands', { count: hands.length }) });
}

/** For screen readers: who asks for help. */
export function handsText(hands: ClassDetails['hands']): string {
  if (hands.length === 0) return '';
  const names = listedNames(hands.map(({ user }) => memberName(user)));
  return t('class.handsAsk', { names, count: hands.length });
}

/** "The lesson ends at 09:30." in local time. */
export function lessonText({ now, next }: NonNullable<ClassDetails['lesson']>): string {
  if (now) return now.until ? t('class.lessonEnds', { when: whenText(now.until) }) : t('class.lessonOn');
  return next ? t('class.lessonNext', { when: whenText(next.from) }) : t('class.noLesson');
}

function whenText(iso: string): string {
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday
    ? t('class.at', { time: clockText(time) })
    : t('class.onDay', { day: dayText(time), time: clockText(time) });
}

export function startProgress(progress: NonNullable<ClassDetails['starting']>): string {
  const { failed } = progress;
  const failures = failed === 0 ? '' : ` ${t('class.startFailed', { count: failed })}`;
  return progress.total === 0 && !progress.running
    ? t('class.allRun')
    : `${startedText(progress)}${failures}`;
}

function startedText({ total, started, failed, running }: NonNullable<ClassDetails['starting']>): string {
  if (running) return t('class.starting', { started, total });
  return started + failed < total
    ? t('class.startInterrupted', { started, total })
    : t('class.startDone', { started, total });
}

/** The button that sends a message. `names`: the marked members. */
export function sendLabel(names: readonly string[]): string {
  return names.length === 0 ? t('class.sendToAll') : t('class.sendTo', { names: listedNames(names) });
}

export function sentText(names: readonly string[]): string {
  return names.length === 0 ? t('class.sentToAll') : t('class.sentTo', { names: listedNames(names) });
}

export function endClassConfirmation(title: string, open: number): StatusMessage & { confirmLabel: string } {
  return {
    title: t('class.endAsk', { title }),
    advice: t('class.endAskAdvice', { count: open }),
    confirmLabel: t('class.end'),
  };
}

export function shownToClassText({ name, by }: NonNullable<ClassDetails['shown']>): string {
  return by === undefined ? t('class.shownToAll', { name }) : t('class.shownToAllBy', { by, name });
}
