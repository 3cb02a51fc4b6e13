import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';

const pictures = process.env['PICTURES'];

/** Writes a screenshot to the folder that `PICTURES` names, to look at; does nothing without it. */
export async function takePicture({ page }: { readonly page: Page }, name: string): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  // Not in the middle of an animation.
  await page.evaluate(() => {
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  });
  await page.screenshot({ path: `${pictures}/${name}.png` });
}
