/** The languages of the pages, by their tag (BCP 47). Bundled into the pages, so this module must not import anything. */
export const languageTags = ['en', 'de', 'fr', 'es', 'it', 'pt', 'pl', 'nl', 'ar'] as const;

export type Language = (typeof languageTags)[number];

interface LanguageInfo {
  /** In the language itself. */
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
}

export const languages: Readonly<Record<Language, LanguageInfo>> = {
  en: { name: 'English', direction: 'ltr' },
  de: { name: 'Deutsch', direction: 'ltr' },
  fr: { name: 'Français', direction: 'ltr' },
  es: { name: 'Español', direction: 'ltr' },
  it: { name: 'Italiano', direction: 'ltr' },
  pt: { name: 'Português', direction: 'ltr' },
  pl: { name: 'Polski', direction: 'ltr' },
  nl: { name: 'Nederlands', direction: 'ltr' },
  ar: { name: 'العربية', direction: 'rtl' },
};

/** Built into the pages. The others are loaded when they are needed. */
export const builtInLanguage: Language = 'en';

/** Holds the language that the user has chosen. Scripts of the page write it. */
export const languageCookie = 'porthole-language';

export function isLanguage(value: unknown): value is Language {
  return languageTags.some((tag) => tag === value);
}
