import { onLanguageChange } from './current-language.ts';
import { t, type PlainKey } from './t.ts';

const keyAttribute = 'data-label';

/** Names an element of a library for screen readers, in the language of the page as long as the element is there. */
export function labelElement(element: Element | null | undefined, key: PlainKey): void {
  element?.setAttribute(keyAttribute, key);
  element?.setAttribute('aria-label', t(key));
}

onLanguageChange(() => {
  for (const element of document.querySelectorAll(`[${keyAttribute}]`))
    element.setAttribute('aria-label', t(element.getAttribute(keyAttribute) as PlainKey));
});
