import { currentLanguage } from './current-language.ts';
import { locale } from './locale.ts';
import { t } from './t.ts';

/** "Ann, Ben and Carl". */
export function listText(parts: readonly string[]): string {
  // American English has another comma, British English none.
  return new Intl.ListFormat(currentLanguage() === 'en' ? 'en-GB' : locale()).format(parts);
}

const maxNamed = 4;

/** "Ann, Ben and 3 others". */
export function listedNames(names: readonly string[]): string {
  const named = names.slice(0, names.length > maxNamed ? maxNamed - 1 : maxNamed);
  return namesAndOthers(named, names.length - named.length);
}

/** `others` are not named. */
export function namesAndOthers(names: readonly string[], others: number): string {
  return listText([...names, ...(others > 0 ? [t('otherPeople', { count: others })] : [])]);
}

/** "5 minutes". */
export function unitText(value: number, unit: 'second' | 'minute' | 'hour'): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** "5 minutes ago". */
export function agoText(seconds: number): string {
  const relative = new Intl.RelativeTimeFormat(locale());
  return seconds < 60
    ? relative.format(-Math.round(seconds), 'second')
    : relative.format(-Math.floor(seconds / 60), 'minute');
}

export function dateTimeText(iso: string): string {
  return new Date(iso).toLocaleString(locale());
}

/** "09:30". */
export function clockText(time: Date): string {
  return time.toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' });
}

/** "Monday, 30 November". */
export function dayText(time: Date): string {
  return time.toLocaleDateString(locale(), { weekday: 'long', day: 'numeric', month: 'long' });
}
