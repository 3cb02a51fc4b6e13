import { describeWith } from '../../../needs.ts';
import { aMachine } from '../../site-data.ts';
import { useConsole } from '../use-console.ts';

describeWith('chromium')('the toolbar on a phone', () => {
  const fixture = useConsole({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const more = () => fixture.page.getByRole('button', { name: 'More tools' });
  const menu = () => fixture.page.locator('.more-tools');

  beforeEach(async () => {
    fixture.site.machines = [aMachine({ name: 'student-desktop', allow: ['view', 'control', 'power'] })];
    await fixture.open();
  });

  test("has room for the machine's name and its state, each in one line", async () => {
    for (const part of ['.bar-title strong', '.bar-state']) {
      const line = fixture.page.locator(part);
      const box = await line.boundingBox();
      const needed = await line.evaluate((element) => element.scrollWidth);
      expect(needed).toBeLessThanOrEqual(Math.ceil(box?.width ?? 0));
      expect(box?.height).toBeLessThan(24);
    }
    const tools = await fixture.page.getByRole('toolbar').getByRole('button').count();
    expect(tools).toBe(4);
  });

  test('has the other tools in a menu, with their names', async () => {
    await more().tap();
    for (const name of ['Original size', 'Power', 'Full screen', 'Reconnect'])
      await menu().getByText(name, { exact: true }).waitFor();
    const box = await menu().boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
    await menu().getByRole('button', { name: 'Original size' }).tap();
    await menu().waitFor({ state: 'hidden' });
    await fixture.page.waitForFunction(
      () => document.querySelector('#screen canvas')?.getBoundingClientRect().width === 64,
    );
    // A tap outside closes it too.
    await more().tap();
    await menu().waitFor();
    await fixture.page.touchscreen.tap(100, 600);
    await menu().waitFor({ state: 'hidden' });
  });

  test('has a menu for the keyboard: Escape closes it and returns, and arrow keys skip what is hidden', async () => {
    await more().focus();
    await fixture.page.keyboard.press('ArrowRight');
    const focused = () => fixture.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(await focused()).toBe('Back to your machines');
    await fixture.page.keyboard.press('ArrowLeft');
    await fixture.page.keyboard.press('Enter');
    await menu().waitFor();
    await fixture.page.waitForFunction(
      () => document.activeElement?.getAttribute('aria-label') === 'Original size',
    );
    await fixture.page.keyboard.press('Escape');
    await menu().waitFor({ state: 'hidden' });
    expect(await focused()).toBe('More tools');
  });

  test('opens the panel of a tool in the menu', async () => {
    await more().tap();
    await menu().getByRole('button', { name: 'Power' }).tap();
    await fixture.page.getByRole('button', { name: 'Shut down' }).waitFor();
  });
});
