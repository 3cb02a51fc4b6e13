import type { CDPSession, Page } from 'playwright-core';
import { describeWith } from '../../needs.ts';
import { startBrowser, type Browser } from '../browser.ts';
import { aMachine, aSession } from '../site-data.ts';
import { startSite } from '../site.ts';
import type { Site } from '../site-state.ts';

const total = 2000;

describeWith('chromium')('lists with two thousand entries', () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let faults: string[];
  let devtools: CDPSession;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    site.machines = Array.from({ length: total }, (_, i) =>
      aMachine({ vmid: 1000 + i, name: `lab-${i + 1}`, tags: ['linux', `seat-${i + 1}`] }),
    );
    ({ page, faults } = await browser.open());
    devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  const rows = () => page.locator('.machine').count();
  const metric = async (name: string) => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  };
  const openMachines = async () => {
    await page.goto(site.origin);
    await page.getByText(`${total.toLocaleString('en')} machines`).waitFor();
    await page.locator('.machine').first().waitFor();
  };

  test('the first rows are there, and the document stays small', async () => {
    await openMachines();
    expect(await rows()).toBe(100);
    expect(await metric('Nodes')).toBeLessThan(8000);
    const first = page.locator('.machine').first();
    expect(await first.getAttribute('aria-setsize')).toBe(String(total));
    expect(await first.getAttribute('aria-posinset')).toBe('1');
  });

  test('the first list and each key in the search take less than 100 ms of scripting', async () => {
    const best = { opened: Number.POSITIVE_INFINITY, key: Number.POSITIVE_INFINITY };
    // The browser counts time during which another process had the processor. Other tests run at the same time.
    for (let attempt = 0; attempt < 5 && Math.max(best.opened, best.key) >= 0.1; attempt++) {
      const before = await metric('ScriptDuration');
      await openMachines();
      best.opened = Math.min(best.opened, (await metric('ScriptDuration')) - before);
      const keys: number[] = [];
      await page.keyboard.press('/');
      for (const key of 'seat-19') {
        const since = await metric('ScriptDuration');
        await page.keyboard.type(key);
        keys.push((await metric('ScriptDuration')) - since);
      }
      await page.getByText('111 found.').waitFor({ state: 'attached' });
      best.key = Math.min(best.key, Math.max(...keys));
    }
    expect(best.opened).toBeLessThan(0.1);
    expect(best.key).toBeLessThan(0.1);
  });

  test('more rows appear on the way down, until the last one can be opened', async () => {
    await openMachines();
    const last = page.locator('.machine-name', { hasText: new RegExp(`^lab-${total}$`) });
    // With each step, the end of the list moves down.
    for (let step = 0; step < total / 100 && (await last.count()) === 0; step++) {
      const before = await rows();
      await page.mouse.wheel(0, 100_000);
      await page.waitForFunction((count) => document.querySelectorAll('.machine').length > count, before);
    }
    await last.scrollIntoViewIfNeeded();
    expect(await last.getAttribute('href')).toContain(String(1000 + total - 1));
  });

  test('the keyboard reaches rows that were not rendered at first, and the focus stays', async () => {
    await openMachines();
    await page.locator('.machine-name').nth(99).focus();
    await page.waitForFunction(() => document.querySelectorAll('.machine').length > 100);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('lab-100');
    // Tags and menu of the row, then the next row.
    for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('lab-101');
  });

  test('a search begins at the top again, and finds entries that were never rendered', async () => {
    await openMachines();
    await page.mouse.wheel(0, 100_000);
    await page.waitForFunction(() => document.querySelectorAll('.machine').length > 100);
    await page.keyboard.press('/');
    await page.keyboard.type('lab-1');
    await page.waitForFunction(() => document.querySelectorAll('.machine').length === 100);
    await page.keyboard.type('999');
    await page.getByText('1 found.').waitFor({ state: 'attached' });
    expect(await page.locator('.machine-name').allTextContents()).toEqual(['lab-1999']);
  });

  test('the list of consoles grows in the same way', async () => {
    site.sessions = Array.from({ length: total }, (_, i) => aSession(`ada-${i}`));
    await page.goto(`${site.origin}/sessions`);
    await page.locator('.session').first().waitFor();
    expect(await page.locator('.session').count()).toBe(100);
    await page.mouse.wheel(0, 100_000);
    await page.waitForFunction(() => document.querySelectorAll('.session').length > 100);
  });
});
