import { builtInLanguage, isLanguage, languages, type Language } from '@porthole/shared/language/languages';
import type { CompiledTranslation } from './translation.ts';

type Loader = () => Promise<unknown>;

/** Each language is a file of its own. */
const loaders: Readonly<Record<Exclude<Language, 'en'>, Loader>> = {
  de: () => import('./messages/de.ts'),
  fr: () => import('./messages/fr.ts'),
  es: () => import('./messages/es.ts'),
  it: () => import('./messages/it.ts'),
  pt: () => import('./messages/pt.ts'),
  pl: () => import('./messages/pl.ts'),
  nl: () => import('./messages/nl.ts'),
  ar: () => import('./messages/ar.ts'),
};

let current: Language = builtInLanguage;
let loaded: CompiledTranslation | undefined;
let newestRequest: Language = builtInLanguage;
const listeners = new Set<() => void>();

export const currentLanguage = (): Language => current;

/** Undefined: English, which is built in. */
export const currentTranslation = (): CompiledTranslation | undefined => loaded;

/** Calls `listener` after each change. Returns the function that ends that. */
export function onLanguageChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Loads the language and makes it the current one. If it cannot be loaded, the current one stays, and the answer is false. */
export async function switchLanguage(language: Language): Promise<boolean> {
  newestRequest = language;
  const translation = language === 'en' ? undefined : await load(language);
  // The user has chosen another one meanwhile.
  if (newestRequest !== language) return false;
  const isLoaded = language === 'en' || translation !== undefined;
  if (isLoaded) {
    current = language;
    loaded = translation;
  }
  // Also after a failure, so that menus show what is current.
  for (const listener of listeners) listener();
  return isLoaded;
}

async function load(language: Exclude<Language, 'en'>): Promise<CompiledTranslation | undefined> {
  try {
    return ((await loaders[language]()) as Readonly<Record<string, CompiledTranslation>>)[language];
  } catch {
    return undefined;
  }
}

/** For screen readers, hyphenation and the direction of the page. */
function showInDocument(): void {
  const { documentElement } = document;
  documentElement.lang = current;
  documentElement.dir = languages[current].direction;
}

/** Before the first rendering: the broker has chosen the language, and says so in the page's `lang`. */
export async function startLanguage(): Promise<void> {
  onLanguageChange(showInDocument);
  const { lang } = document.documentElement;
  if (isLanguage(lang) && lang !== builtInLanguage) await switchLanguage(lang);
  showInDocument();
}
