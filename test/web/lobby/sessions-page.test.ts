import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../browser.ts';
import { describeWith } from '../../needs.ts';
import { eventually } from '../../eventually.ts';
import { startSite } from '../site.ts';
import type { Site } from '../site-state.ts';
import { aSession } from '../site-data.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

const userNames = () => page.locator('.session-user .session-name').allTextContents();
const lists = (expected: readonly string[]) =>
  eventually(`the list is ${expected.join()}`, async () => (await userNames()).join() === expected.join());

describeWith('chromium')('the list of live consoles', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    site.canSeeSessions = true;
    site.classes = [{ name: 'networks', title: 'Networks' }];
    site.sessions = [
      aSession('ben', {
        machine: { cluster: 'lab', vmid: 102, name: 'lab-ben', type: 'qemu', node: 'pve2' },
      }),
      aSession('anna', { observers: ['Ina Instructor'] }),
      aSession('ina', { mine: true, observer: true, mode: 'view', may: ['end'] }),
      aSession('zoe', { may: ['watch'], user: { id: 'local:zoe', name: 'zoe', displayName: 'Zoë Z.' } }),
    ];
    ({ page, faults } = await browser.open());
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  const open = async (path = '/sessions') => {
    await page.goto(`${site.origin}${path}`);
    await page.locator('.session').first().waitFor();
  };

  test("is linked only for users who may see other users' consoles", async () => {
    await page.goto(site.origin);
    await page.getByRole('link', { name: 'Live consoles' }).click();
    await page.getByRole('heading', { name: 'Live consoles' }).waitFor();
    expect(await page.getByRole('link', { name: 'Live consoles' }).getAttribute('aria-current')).toBe('page');
    site.canSeeSessions = false;
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(await page.getByRole('link', { name: 'Live consoles' }).count()).toBe(0);
  });

  test('shows user, machine, age, traffic and observers of each console, by user', async () => {
    await open();
    await lists(['anna', 'ben', 'inayou', 'Zoë Z.']);
    const anna = page.locator('[data-session=anna]');
    for (const text of ['42 min', 'lab-anna', 'pve1', '12 MB', 'Ina Instructor is observing'])
      await anna.getByText(text).first().waitFor();
    await page.locator('[data-session=ina]').getByText('observing').waitFor();
    await page.getByText('4 consoles, 4 people').first().waitFor();
  });

  test('says that a console whose tab is hidden is paused', async () => {
    const [ben] = site.sessions;
    if (ben) site.sessions[0] = { ...ben, parked: true };
    await open();
    await page.locator(`[data-session="${ben?.id}"]`).getByText('paused', { exact: true }).waitFor();
    expect(await page.getByText('paused', { exact: true }).count()).toBe(1);
  });

  test('operators can sign a user out everywhere, after a confirmation', async () => {
    const [ben] = site.sessions;
    if (ben) site.sessions[0] = { ...ben, may: ['end', 'sign_out'] };
    await open();
    expect(await page.getByRole('button', { name: /out everywhere/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Sign ben out everywhere' }).click();
    await page.getByRole('heading', { name: 'Sign ben out everywhere?' }).waitFor();
    expect(site.ended).toEqual([]);
    await page.getByRole('button', { name: 'Sign out', exact: true }).last().click();
    await eventually('the broker got the request', () => site.ended.join() === '?user=local%3Aben');
  });

  test('offers only the actions that are allowed', async () => {
    await open();
    const names = (id: string) => page.locator(`[data-session=${id}] .session-actions > *`).allInnerTexts();
    expect(await names('anna')).toEqual(['Observe', 'Take over', 'End']);
    expect(await names('zoe')).toEqual(['Observe']);
    expect(await names('ina')).toEqual(['End']);
    expect(await page.getByRole('link', { name: 'Observe ben on lab-ben' }).getAttribute('href')).toBe(
      '/console/lab/102?mode=view',
    );
    expect(await page.getByRole('link', { name: 'Take over lab-ben from ben' }).getAttribute('href')).toBe(
      '/console/lab/102',
    );
  });

  test('ends a console by keyboard after a confirmation, and not after Cancel', async () => {
    await open();
    const end = page.getByRole('button', { name: 'End the console of ben on lab-ben' });
    await end.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('End the console of ben on lab-ben?').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(site.ended).toEqual([]);
    expect(await end.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await lists(['anna', 'inayou', 'Zoë Z.']);
    expect(site.ended).toEqual(['/ben']);
  });

  test('shows one class, keeps it in the address, and ends its consoles after a confirmation', async () => {
    await open();
    await page.getByRole('button', { name: 'Networks', exact: true }).click();
    await lists(['anna', 'ben', 'Zoë Z.']);
    expect(new URL(page.url()).search).toBe('?class=networks');
    await page.reload();
    await lists(['anna', 'ben', 'Zoë Z.']);
    await page.getByRole('button', { name: 'End all of Networks' }).click();
    await page.getByRole('dialog').getByText('End all 2 consoles of Networks?').waitFor();
    await page.getByRole('button', { name: 'End consoles' }).click();
    await page.getByText('No open consoles').first().waitFor();
    expect(site.ended).toEqual(['?class=networks']);
  });

  test('finds users and machines, and the key / focuses the search', async () => {
    await open();
    await page.keyboard.press('/');
    await page.keyboard.type('zoë 101');
    await lists(['Zoë Z.']);
    await page.keyboard.press('Escape');
    await lists(['anna', 'ben', 'inayou', 'Zoë Z.']);
    await page.keyboard.type('no such user');
    await page.getByText('No matching consoles').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await lists(['anna', 'ben', 'inayou', 'Zoë Z.']);
  });

  test('refreshes itself, and an unchanged list is not sent again', async () => {
    await open();
    await eventually('the page polled again', () => site.notModified > 0);
    site.sessions.push(aSession('carl'));
    await lists(['anna', 'ben', 'carl', 'inayou', 'Zoë Z.']);
  });

  test('shows the sign-in page at the same address when the sign-in has expired', async () => {
    site.signedIn = false;
    await page.goto(`${site.origin}/sessions`);
    await page.fill('#username', 'ina');
    await page.fill('#password', 'sesame');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Live consoles' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/sessions');
  });

  test('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    for (const name of ['Observe anna on lab-anna', 'Take over lab-anna from anna'])
      expect(await page.getByRole('link', { name }).isVisible()).toBe(true);
  });
});
