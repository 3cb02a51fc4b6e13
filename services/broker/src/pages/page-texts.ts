import type { Language } from '@porthole/shared/language/languages';

/** The texts of pages without scripts. All others are in web/src/language/messages. */
interface PageTexts {
  readonly needsScripts: string;
  readonly notFound: string;
  readonly allConsoles: string;
}

export const pageTexts: Readonly<Record<Language, PageTexts>> = {
  en: {
    needsScripts: 'Porthole needs JavaScript. Enable it for this site.',
    notFound: 'Page not found',
    allConsoles: 'All consoles',
  },
  de: {
    needsScripts: 'Porthole braucht JavaScript. Aktivieren Sie es für diese Website.',
    notFound: 'Seite nicht gefunden',
    allConsoles: 'Alle Konsolen',
  },
  fr: {
    needsScripts: 'Porthole a besoin de JavaScript. Activez-le pour ce site.',
    notFound: 'Page introuvable',
    allConsoles: 'Toutes les consoles',
  },
  es: {
    needsScripts: 'Porthole necesita JavaScript. Actívelo para este sitio.',
    notFound: 'Página no encontrada',
    allConsoles: 'Todas las consolas',
  },
};
