import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe-core finds wrong on a page, by all its rules: the rule, and the element. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Not as a script of the page, because its content security policy forbids that.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    // After a change of the colour scheme, inherited colours can be those of the other one until the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    // A colour on its way to another one has a contrast that no user sees for long.
    for (const animation of document.getAnimations())
      if (animation instanceof CSSTransition) animation.finish();
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ['violations'],
    });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}
