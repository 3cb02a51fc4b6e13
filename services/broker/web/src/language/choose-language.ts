import { languageCookie, type Language } from '@porthole/shared/language/languages';
import { basePath } from '../base-path.ts';
import { switchLanguage } from './current-language.ts';

const yearSeconds = 365 * 24 * 3600;

/** The user has chosen a language, also for the next pages: the broker reads the cookie. */
export async function chooseLanguage(language: Language): Promise<void> {
  if (!(await switchLanguage(language))) return;
  document.cookie = cookieText(language, {
    basePath,
    secure: location.protocol === 'https:',
    framed: window.parent !== window,
  });
}

/** In a frame of another site, browsers keep only partitioned cookies, and only of secure pages. */
export function cookieText(
  language: Language,
  {
    basePath,
    secure,
    framed,
  }: { readonly basePath: string; readonly secure: boolean; readonly framed: boolean },
): string {
  const sameSite = framed && secure ? 'SameSite=None; Partitioned' : 'SameSite=Lax';
  return `${languageCookie}=${language}; Path=${basePath}; Max-Age=${yearSeconds}; ${sameSite}${secure ? '; Secure' : ''}`;
}
