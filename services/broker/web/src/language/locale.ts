import { languages, type Language } from '@porthole/shared/language/languages';
import { currentLanguage } from './current-language.ts';

/** For `Intl`: the current language as the browser's user writes it, such as `en-GB`. */
export function locale(): string {
  const language = currentLanguage();
  const regional = navigator.languages.find((tag) => tag === language || tag.startsWith(`${language}-`));
  return withLatinDigits(language, regional ?? language);
}

/** Arabic has digits of its own. Addresses and what machines show have Latin ones, so the other numbers do not differ. */
function withLatinDigits(language: Language, tag: string): string {
  if (languages[language].direction === 'ltr') return tag;
  return new Intl.Locale(tag, { numberingSystem: 'latn' }).toString();
}
