import {
  builtInLanguage,
  isLanguage,
  languageCookie,
  languageTags,
  type Language,
} from '@porthole/shared/language/languages';
import type { Context } from '../http/context.ts';

/** The language that the user has chosen on a page, or else the browser's. */
export function requestLanguage(ctx: Context): Language {
  const chosen = ctx.cookies.get(languageCookie);
  if (isLanguage(chosen)) return chosen;
  const accepted = ctx.acceptsLanguages(...languageTags);
  return isLanguage(accepted) ? accepted : builtInLanguage;
}
