import { t } from '../language/t.ts';

/** The texts about control of a machine. */
interface Control {
  readonly mine: boolean;
  readonly elsewhere: boolean;
  readonly by: string | undefined;
  readonly askedBy: string | undefined;
}

export function controlTitle({ mine, elsewhere, by }: Control): string {
  if (elsewhere) return t('control.elsewhere');
  if (mine) return t('control.mine');
  return by === undefined ? t('control.another') : t('control.user', { by });
}

/** What that means for this user. */
export function controlMeaning({ mine, elsewhere, askedBy }: Control): string {
  if (elsewhere) return t('control.elsewhereMeans');
  if (!mine) return t('control.otherMeans');
  return askedBy === undefined ? t('control.mineMeans') : t('control.isAsked', { askedBy });
}

export function controlAskedText(by: string | undefined): string {
  return by === undefined ? t('control.asked') : t('control.askedUser', { by });
}
