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
  it: {
    needsScripts: 'Porthole richiede JavaScript. Attivarlo per questo sito.',
    notFound: 'Pagina non trovata',
    allConsoles: 'Tutte le console',
  },
  pt: {
    needsScripts: 'O Porthole precisa de JavaScript. Ative-o para este site.',
    notFound: 'Página não encontrada',
    allConsoles: 'Todas as consolas',
  },
  pl: {
    needsScripts: 'Porthole wymaga JavaScriptu. Włącz go dla tej witryny.',
    notFound: 'Nie znaleziono strony',
    allConsoles: 'Wszystkie konsole',
  },
  nl: {
    needsScripts: 'Porthole heeft JavaScript nodig. Schakel het in voor deze site.',
    notFound: 'Pagina niet gevonden',
    allConsoles: 'Alle consoles',
  },
  ar: {
    needsScripts: 'يحتاج Porthole إلى JavaScript. فعّله لهذا الموقع.',
    notFound: 'الصفحة غير موجودة',
    allConsoles: 'كل وحدات التحكم',
  },
};
