import { languages } from '@porthole/shared/language/languages';
import { currentLanguage } from './current-language.ts';

/** Where an arrow key goes among things that follow each other: 1 forwards, -1 backwards. Undefined for other keys. */
export function arrowStep(key: string): 1 | -1 | undefined {
  if (key !== 'ArrowRight' && key !== 'ArrowLeft') return undefined;
  const forwards = languages[currentLanguage()].direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
  return key === forwards ? 1 : -1;
}
