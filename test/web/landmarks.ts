import type { Page } from 'playwright-core';

/**
 * The visible texts and controls that are in no landmark, which users of screen readers then miss when they move by
 * landmarks. Follows the rule `region` of axe-core: dialogs and live regions count as landmarks.
 */
export function contentOutsideLandmarks(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const withName = (selector: string) => `${selector}[aria-label], ${selector}[aria-labelledby]`;
    const landmarks = [
      'main, nav, aside, search, dialog',
      withName('section'),
      withName('form'),
      ...[
        'main',
        'navigation',
        'complementary',
        'banner',
        'contentinfo',
        'region',
        'search',
        'form',
        'dialog',
      ].map((role) => `[role=${role}]`),
      '[role=alertdialog], [role=alert], [role=status], [role=log]',
      '[aria-live=polite], [aria-live=assertive]',
    ].join();
    const controls = 'a[href], button, input, select, textarea, img, canvas, video, iframe';
    const sectioning = 'main, article, aside, nav, section';
    const found: string[] = [];

    function isLandmark(element: Element): boolean {
      const role = element.getAttribute('role');
      if (role !== null && !landmarks.includes(`[role=${role}]`)) return element.matches('[aria-live]');
      // A header of a part of the page is no landmark.
      if (element.matches('header, footer')) return element.parentElement?.closest(sectioning) === null;
      return element.matches(landmarks);
    }

    function visit(element: Element): void {
      if (
        element.getAttribute('aria-hidden') === 'true' ||
        element.matches('script, style, template, noscript')
      )
        return;
      const { display, visibility } = getComputedStyle(element);
      if (display === 'none' || isLandmark(element)) return;
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '',
      );
      if (visibility === 'visible' && (hasText || element.matches(controls)))
        found.push(element.outerHTML.slice(0, 100));
      for (const child of element.children) visit(child);
    }

    visit(document.body);
    return found;
  });
}
