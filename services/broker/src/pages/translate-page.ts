import { languages, type Language } from '@porthole/shared/language/languages';
import { pageTexts } from './page-texts.ts';

/**
 * A built page in another language: its scripts read `lang`, and load the file of that language. The browser begins to
 * load the file with the scripts, so that it delays nothing.
 */
export function translatePage(page: string, language: Language, names: readonly string[]): string {
  const file = names.find((name) => name.startsWith(`assets/language-${language}-`));
  const preload = file === undefined ? '' : `    <link rel="modulepreload" href="./${file}" />\n`;
  return page
    .replace('<html lang="en">', htmlTag(language))
    .replace(pageTexts.en.needsScripts, pageTexts[language].needsScripts)
    .replace('  </head>', `${preload}  </head>`);
}

export const htmlTag = (language: Language): string =>
  `<html lang="${language}" dir="${languages[language].direction}">`;
