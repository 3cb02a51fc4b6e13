import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../browser.ts';
import { describeWith } from '../../needs.ts';
import { startSite, type Site } from '../site.ts';
import { aMachine } from '../site-data.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

const fleet = () => [
  aMachine({ vmid: 201, name: 'database', type: 'lxc', status: 'stopped', tags: ['postgres'] }),
  aMachine({ vmid: 105, name: 'web-10', tags: ['linux'] }),
  aMachine({ vmid: 104, name: 'web-2', tags: ['linux', 'week-3'], pool: 'networks' }),
  aMachine({ vmid: 301, name: 'teacher', allow: ['view'] }),
];

const names = () => page.locator('.machine-name').allTextContents();

/** Waits until the list holds just these, in this order. */
const lists = (expected: readonly string[]) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('.machine-name')].map((each) => each.textContent).join() === wanted,
    expected.join(),
  );

/** Waits until the focus is on what is named or reads like that. */
const focusIsOn = (name: string) =>
  page.waitForFunction((wanted) => {
    const element = document.activeElement;
    return element?.getAttribute('aria-label') === wanted || element?.textContent?.trim() === wanted;
  }, name);

describeWith('chromium')('sign-in and list', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    site.machines = fleet();
    ({ page, faults } = await browser.open());
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  describe('signing in', () => {
    beforeEach(() => {
      site.signedIn = false;
    });

    test('a wrong password is said, and the field is ready for the next try', async () => {
      await page.goto(site.origin);
      await page.getByLabel('Name', { exact: true }).waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('username');
      await page.keyboard.type('ada');
      await page.keyboard.press('Tab');
      await page.keyboard.type('guess');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('password');
      await page.keyboard.type('sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Your machines' }).waitFor();
      await page.getByText('Ada Lovelace').waitFor();
    });

    test('the password can be shown and hidden', async () => {
      await page.goto(site.origin);
      const field = page.locator('#password');
      await field.fill('sesame');
      await page.getByRole('button', { name: 'Show password' }).click();
      await page.locator('#password[type=text]').waitFor();
      await page.getByRole('button', { name: 'Show password' }).click();
      await page.locator('#password[type=password]').waitFor();
      expect(await field.getAttribute('autocomplete')).toBe('current-password');
    });

    test('a link to a console leads there after signing in', async () => {
      await page.goto(`${site.origin}/console/lab/104?mode=view`);
      await page.getByText('Sign in to open the console.').waitFor();
      await page.fill('#username', 'ada');
      await page.fill('#password', 'sesame');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${site.origin}/console/lab/104?mode=view`);
      await page.locator('body[data-state="open"]').waitFor({ state: 'attached' });
    });

    test('a link that would lead to another site leads to the list', async () => {
      await page.goto(`${site.origin}/?return=${encodeURIComponent('//evil.example/console/lab/1')}`);
      await page.fill('#username', 'ada');
      await page.fill('#password', 'sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    });
  });

  test('signing out says so', async () => {
    await page.goto(site.origin);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You have signed out.').waitFor();
  });

  test('machines are listed, running ones first', async () => {
    await page.goto(site.origin);
    await lists(['teacher', 'web-2', 'web-10', 'database']);
    await page.getByText('4 machines, 3 running').waitFor();
    expect(await page.locator('[data-vmid="201"] .status').textContent()).toBe('Off');
  });

  test('search, list and menu need no mouse', async () => {
    const all = ['teacher', 'web-2', 'web-10', 'database'];
    await page.goto(site.origin);
    await page.locator('.machine-name').first().waitFor();
    await page.keyboard.press('/');
    await focusIsOn('Search by name, number, tag or pool');
    await page.keyboard.type('linux week');
    await lists(['web-2']);
    await page.keyboard.press('Escape');
    await lists(all);
    await page.keyboard.type('nothing like it');
    await page.getByRole('heading', { name: 'No matching machines' }).waitFor();
    await page.keyboard.press('Tab');
    await focusIsOn('Show all');
    await page.keyboard.press('Enter');
    await lists(all);

    const more = page.getByRole('button', { name: 'More for web-2' });
    await more.focus();
    await page.keyboard.press('ArrowUp');
    await focusIsOn('View only');
    expect(await more.getAttribute('aria-expanded')).toBe('true');
    await page.keyboard.press('ArrowDown');
    await focusIsOn('Open console');
    await page.keyboard.press('End');
    await page.keyboard.press('o');
    await focusIsOn('Open console');
    await page.keyboard.press('Escape');
    await focusIsOn('More for web-2');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await focusIsOn('Open console');
    await page.keyboard.press('v');
    await focusIsOn('View only');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${site.origin}/console/lab/104?mode=view`);
  });

  test('what a person may not do is not in the menu', async () => {
    await page.goto(site.origin);
    await page.getByRole('button', { name: 'More for teacher' }).click();
    await page.getByRole('menu').waitFor();
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(['Open in new window', 'View only']);
    expect(await page.getByRole('link', { name: 'teacher' }).getAttribute('href')).toBe(
      '/console/lab/301?mode=view',
    );
  });

  test('the whole row opens the console', async () => {
    await page.goto(site.origin);
    const row = page.locator('[data-vmid="104"]');
    const box = await row.boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 5);
    await page.waitForURL(`${site.origin}/console/lab/104`);
  });

  test('a change of status shows up and is announced', async () => {
    await page.goto(site.origin);
    await page.locator('[data-vmid="201"]').waitFor();
    site.machines = fleet().map((machine) => ({ ...machine, status: 'running' }));
    await page.locator('[data-vmid="201"][data-status="running"]').waitFor();
    await page.getByRole('status').getByText('database is now running.').waitFor({ state: 'attached' });
  });

  test('clusters are named when there is more than one', async () => {
    site.machines = [...fleet(), aMachine({ cluster: 'annex', vmid: 104, name: 'other' })];
    await page.goto(site.origin);
    await page.getByText('annex / pve1').waitFor();
  });

  test('nobody has assigned anything yet', async () => {
    site.machines = [];
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'No machines are assigned to you yet' }).waitFor();
  });

  test('a list that fails to load can be asked for again', async () => {
    site.listReply = { status: 502, code: 'proxmox_invalid_response' };
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Your machines could not be loaded' }).waitFor();
    site.listReply = undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.machine-name').first().waitFor();
  });

  test('a stale list stays on the screen and says how old it is', async () => {
    site.stale = 125;
    await page.goto(site.origin);
    await page.locator('[data-stale]').getByText('This list is from 2 minutes ago.').waitFor();
    expect(await names()).toHaveLength(4);
  });

  test('a session that ended leads to the sign-in page', async () => {
    await page.goto(site.origin);
    await page.locator('.machine-name').first().waitFor();
    site.signedIn = false;
    await page.getByText('You were signed out.').waitFor();
  });

  test('on a phone nothing has to be scrolled sideways', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(site.origin);
    await page.locator('.machine-name').first().waitFor();
    const [content, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(content).toBeLessThanOrEqual(window_ ?? 0);
  });
});
