import { t } from '../language/t.ts';

/** The texts of classes on the consoles of their members. */
export function pausedTitle(by: string | undefined): string {
  return by === undefined ? t('class.paused') : t('myClass.pausedBy', { by });
}

export function messageFrom(by: string | undefined): string {
  return by === undefined ? t('myClass.messageFromInstructor') : t('myClass.messageFrom', { by });
}

/** The place of a raised hand: 1 is first. */
export function handText(position: number | undefined): string {
  if (position === undefined) return t('help.isRaised');
  return position === 1 ? t('help.isNext') : t('help.isBehind', { count: position - 1 });
}

/** What is shown to the class. */
export function shownTitle(name: string, by: string | undefined): string {
  return by === undefined ? t('shown.title', { name }) : t('shown.titleBy', { by, name });
}

export function mineShownText(by: string | undefined): string {
  return by === undefined ? t('shown.mine') : t('shown.mineBy', { by });
}
