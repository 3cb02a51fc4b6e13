import { useEffect, useState } from 'preact/hooks';
import { onLanguageChange } from './current-language.ts';

/** Renders the component again in another language. For the root of a page: everything below is rendered with it. */
export function useLanguage(): void {
  const [, redraw] = useState(0);
  useEffect(() => onLanguageChange(() => redraw((round) => round + 1)), []);
}
