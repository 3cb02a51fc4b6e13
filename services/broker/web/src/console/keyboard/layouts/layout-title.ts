import { locale } from '../../../language/locale.ts';
import { t } from '../../../language/t.ts';
import { layoutLanguages, systems, type GuestLayout, type LayoutId } from './layout-list.ts';

/** "German (Switzerland)". */
export function layoutTitle(id: LayoutId): string {
  const names = new Intl.DisplayNames(locale(), {
    type: 'language',
    languageDisplay: 'standard',
    style: 'short',
  });
  const language = withCapital(names.of(layoutLanguages[id]) ?? id);
  return id === 'pl' ? t('typing.layoutOfProgrammers', { language }) : language;
}

/** With the system, because a closed list of options does not show their group. */
export function layoutOnSystem({ id, system }: GuestLayout): string {
  return t('typing.layoutOn', { layout: layoutTitle(id), system: systems[system] });
}

function withCapital(name: string): string {
  return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
}
