import type { Session } from '../api.ts';
import { namesAndOthers } from '../language/formats.ts';
import { locale } from '../language/locale.ts';
import { t } from '../language/t.ts';
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
  const count = by.length + others;
  return count === 0 ? undefined : t('observers', { names: namesAndOthers(by, others), count });
}

/** How long ago `since` was: "just now", "5 min", "2 h 10 min". */
export function elapsedText(since: string, now: number): string {
  const all = Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
  if (all < 1) return t('elapsed.now');
  const hours = Math.floor(all / 60);
  const minutes = all % 60;
  if (hours === 0) return t('elapsed.minutes', { minutes });
  return minutes === 0 ? t('elapsed.hours', { hours }) : t('elapsed.both', { hours, minutes });
}

const trafficUnits = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** The traffic in both directions, in decimal units: "12 MB". */
export function trafficText({ toViewer, toMachine }: Session['bytes']): string {
  let value = toViewer + toMachine;
  let unit = 0;
  while (value >= 1000 && unit < trafficUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  const number = new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return t('traffic', { value: number.format(value), unit: trafficUnits[unit] ?? '' });
}

export function sessionCount(consoles: number, people: number): string {
  return consoles === 0 ? t('sessions.none') : t('sessions.count', { consoles, people });
}

export function endConfirmation(session: Session): ConfirmationText {
  const machine = session.machine.name;
  return session.mine
    ? {
        title: t('session.endMineAsk', { machine }),
        advice: t('session.endMineAdvice'),
        confirmLabel: t('session.endConfirm'),
      }
    : {
        title: t('session.endAsk', { name: displayName(session), machine }),
        advice: t('session.endAskAdvice'),
        confirmLabel: t('session.endConfirm'),
      };
}

export function endClassConfirmation(title: string, count: number): ConfirmationText {
  return {
    title: t('session.endClassAsk', { title, count }),
    advice: t('session.endClassAdvice'),
    confirmLabel: t('session.endClassConfirm'),
  };
}

export function signOutConfirmation(session: Session): ConfirmationText {
  return {
    title: t('session.signOutAsk', { name: displayName(session) }),
    advice: t('session.signOutAdvice'),
    confirmLabel: t('signOut'),
  };
}
