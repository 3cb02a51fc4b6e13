import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../browser.ts';
import { describeWith } from '../../needs.ts';
import { startSite } from '../site.ts';
import type { Site } from '../site-state.ts';
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

/** Waits until the list holds exactly these machines, in this order. */
const lists = (expected: readonly string[]) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('.machine-name')].map((each) => each.textContent).join() === wanted,
    expected.join(),
  );

/** Waits until the focused element has that label or text. */
const focusIsOn = (name: string) =>
  page.waitForFunction((wanted) => {
    const element = document.activeElement;
    return element?.getAttribute('aria-label') === wanted || element?.textContent?.trim() === wanted;
  }, name);

describeWith('chromium')('the sign-in page and the list of machines', () => {
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

    test('a wrong password shows an error, and the field is ready for the next attempt', async () => {
      await page.goto(site.origin);
      await page.getByLabel('Name', { exact: true }).waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('username');
      await page.keyboard.type('ada');
      await page.keyboard.press('Tab');
      await page.keyboard.type('guess');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('The name or password is incorrect.').waitFor();
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

    test('a link to a console opens it after signing in', async () => {
      await page.goto(`${site.origin}/console/lab/104?mode=view`);
      await page.getByText('Sign in to open the console.').waitFor();
      await page.fill('#username', 'ada');
      await page.fill('#password', 'sesame');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${site.origin}/console/lab/104?mode=view`);
      await page.locator('body[data-state="open"]').waitFor({ state: 'attached' });
    });

    test('a return address on another site leads to the list', async () => {
      await page.goto(`${site.origin}/?return=${encodeURIComponent('//evil.example/console/lab/1')}`);
      await page.fill('#username', 'ada');
      await page.fill('#password', 'sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    });
  });

  test('signing out shows that it is done', async () => {
    await page.goto(site.origin);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You have signed out.').waitFor();
  });

  test('running machines are listed first', async () => {
    await page.goto(site.origin);
    await lists(['teacher', 'web-2', 'web-10', 'database']);
    await page.getByText('4 machines, 3 running').waitFor();
    expect(await page.locator('[data-vmid="201"] .status').textContent()).toBe('Off');
  });

  test('search, list and menu work with the keyboard', async () => {
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

  test('the menu has only what the user may do', async () => {
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

  test('a change of status is shown and announced', async () => {
    await page.goto(site.origin);
    await page.locator('[data-vmid="201"]').waitFor();
    site.machines = fleet().map((machine) => ({ ...machine, status: 'running' }));
    await page.locator('[data-vmid="201"][data-status="running"]').waitFor();
    await page.getByRole('status').getByText('database is now running.').waitFor({ state: 'attached' });
  });

  test('clusters are named if there are several', async () => {
    site.machines = [...fleet(), aMachine({ cluster: 'annex', vmid: 104, name: 'other' })];
    await page.goto(site.origin);
    await page.getByText('annex / pve1').waitFor();
  });

  test('an empty list says that no machines are assigned', async () => {
    site.machines = [];
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'No machines are assigned to you yet' }).waitFor();
  });

  test('a list that fails to load can be loaded again', async () => {
    site.listReply = { status: 502, code: 'proxmox_invalid_response' };
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Your machines could not be loaded' }).waitFor();
    site.listReply = undefined;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.machine-name').first().waitFor();
  });

  test('a stale list stays visible and shows its age', async () => {
    site.stale = 125;
    await page.goto(site.origin);
    await page.locator('[data-stale]').getByText('This list is from 2 minutes ago.').waitFor();
    expect(await names()).toHaveLength(4);
  });

  test('an expired sign-in leads to the sign-in page', async () => {
    await page.goto(site.origin);
    await page.locator('.machine-name').first().waitFor();
    site.signedIn = false;
    await page.getByText('You were signed out.').waitFor();
  });

  test('the list fits a phone without horizontal scrolling', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(site.origin);
    await page.locator('.machine-name').first().waitFor();
    const [content, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(content).toBeLessThanOrEqual(window_ ?? 0);
  });
});
