import { describeWith } from '../../../needs.ts';
import { until, useConsole } from '../use-console.ts';

describeWith('chromium')('the console on a phone', () => {
  const fixture = useConsole({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });

  test('has keys that phones lack', async () => {
    await fixture.open();
    await fixture.page.getByRole('button', { name: 'Keyboard', exact: true }).tap();
    const field = fixture.page.getByLabel('Text for the machine');
    await field.waitFor({ state: 'attached' });
    await fixture.page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    // An on-screen keyboard inserts text and reports no key.
    await fixture.page.keyboard.insertText('hi');
    await fixture.page.getByRole('button', { name: 'Ctrl', exact: true }).tap();
    await fixture.page.getByRole('button', { name: 'F2', exact: true }).tap();
    await until(() => fixture.keysDown().length >= 4);
    expect(fixture.keysDown()).toEqual([0x68, 0x69, 0xffe3, 0xffbf]);
    await fixture.page.keyboard.press('Backspace');
    await until(() => fixture.keysDown().includes(0xff08));
    const width = await fixture.page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    expect(fixture.faults).toEqual([]);
  });

  test('shows the toolbar by its handle', async () => {
    await fixture.open();
    await fixture.page.locator('.bar[data-shown="false"]').waitFor({ state: 'attached' });
    await fixture.page.getByRole('button', { name: 'Show the toolbar' }).tap();
    await fixture.page.locator('.bar[data-shown="true"]').waitFor();
    expect(fixture.faults).toEqual([]);
  });
});
