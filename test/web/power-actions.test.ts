import type { Page } from 'playwright-core';
import { startBrowser, waitForState, type Browser } from './browser.ts';
import { describeWith } from '../needs.ts';
import { eventually } from '../eventually.ts';
import { startSite } from './site.ts';
import type { Site } from './site-state.ts';
import { aMachine } from './site-data.ts';
import { openNormally } from './site-relay.ts';

let browser: Browser;
let site: Site;
let page: Page;
let faults: string[];

describeWith('chromium')('power actions', () => {
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    site.machines = [
      aMachine({ vmid: 101, name: 'web-1', allow: ['view', 'control', 'power'] }),
      aMachine({ vmid: 102, name: 'web-2', status: 'stopped', allow: ['view', 'control', 'power'] }),
      aMachine({ vmid: 103, name: 'web-3' }),
      aMachine({ vmid: 200, name: 'box', type: 'lxc', allow: ['power'], kinds: [] }),
    ];
    ({ page, faults } = await browser.open());
  });
  afterEach(async () => {
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  const menuOf = async (name: string) => {
    await page.getByRole('button', { name: `More for ${name}` }).click();
    await page.getByRole('menu').waitFor();
    return page.getByRole('menuitem').allInnerTexts();
  };
  const closeMenu = () => page.keyboard.press('Escape');
  const status = (vmid: number) => page.locator(`[data-vmid="${vmid}"] .status`).innerText();

  describe('from the list', () => {
    beforeEach(() => page.goto(site.origin));

    test('are offered if the user may use them and they make sense', async () => {
      const open = ['Open console', 'Open in new window', 'View only'];
      expect(await menuOf('web-1')).toEqual([...open, 'Shut down', 'Reboot', 'Reset', 'Stop']);
      await closeMenu();
      expect(await menuOf('web-2')).toEqual([...open, 'Start']);
      await closeMenu();
      expect(await menuOf('web-3')).toEqual(open);
      await closeMenu();
      expect(await menuOf('box')).toEqual(['Shut down', 'Reboot', 'Stop']);
      expect(await page.getByRole('link', { name: 'box' }).count()).toBe(0);
    });

    test('show their progress until the task has ended', async () => {
      await menuOf('web-2');
      await page.getByRole('menuitem', { name: 'Start' }).click();
      await eventually('the row shows the progress', async () => (await status(102)) === 'Starting…');
      expect(site.powerActions).toEqual(['102 start']);
      const over = page.waitForResponse(
        async (answer) => answer.url().includes('/power/') && (await answer.text()).includes('done'),
      );
      site.tasks.set('102', { state: 'done' });
      await over;
      // Proxmox lists the new status later.
      await page.waitForResponse('**/consoles');
      expect(await status(102)).toBe('Starting…');
      site.machines = site.machines.map((each) =>
        each.vmid === 102 ? { ...each, status: 'running' } : each,
      );
      await eventually('the row shows the new status', async () => (await status(102)) === 'Running');
    });

    test('that lose unsaved work ask first, and work with the keyboard', async () => {
      await page.getByRole('button', { name: 'More for web-1' }).focus();
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByText('Stop web-1?').waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(site.powerActions).toEqual([]);
      // The button that opened the menu has the focus again.
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
      await eventually('the focus is back', async () => (await focused()) === 'More for web-1');
      await page.keyboard.press('ArrowUp');
      await page.getByRole('menu').waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await eventually('the machine got the action', () => site.powerActions.join() === '101 stop');
    });

    test('that fail show the reason and the support number', async () => {
      site.tasks.set('101', {
        state: 'failed',
        code: 'machine_locked',
        title: 'The machine is busy.',
        requestId: 'r-1',
      });
      await menuOf('web-1');
      await page.getByRole('menuitem', { name: 'Shut down' }).click();
      await page
        .getByRole('alert')
        .getByText('Could not shut down web-1. The machine is busy. Support number r-1.')
        .waitFor();
      await page.getByRole('alert').getByRole('button', { name: 'Close' }).click();
      expect(await page.getByRole('alert').innerText()).toBe('');
    });
  });

  describe('from the console', () => {
    test('can start a stopped machine, and the console opens', async () => {
      site.relayScript = ({ close }) => close(4409, 'The machine is not running.');
      await page.goto(`${site.origin}/console/lab/102`);
      await waitForState(page, 'machine-off');
      await page.getByRole('button', { name: 'Start machine' }).click();
      await page.getByText('The machine is starting.').waitFor();
      site.relayScript = openNormally;
      site.tasks.set('102', { state: 'done' });
      await waitForState(page, 'open');
      expect(site.powerActions).toEqual(['102 start']);
    });

    test('are not offered without the right', async () => {
      site.relayScript = ({ close }) => close(4409, 'The machine is not running.');
      await page.goto(`${site.origin}/console/lab/103`);
      await waitForState(page, 'machine-off');
      expect(await page.getByRole('button', { name: 'Start machine' }).count()).toBe(0);
    });

    test('can reset a machine that hangs, after a confirmation', async () => {
      await page.goto(`${site.origin}/console/lab/101`);
      await waitForState(page, 'open');
      await page.getByRole('button', { name: 'Power' }).click();
      await page.getByRole('button', { name: /^Reset/ }).click();
      await page.getByRole('dialog').getByText('Reset web-1?').waitFor();
      expect(site.powerActions).toEqual([]);
      await page.getByRole('button', { name: 'Reset', exact: true }).click();
      await eventually('the machine got the action', () => site.powerActions.join() === '101 reset');
      await page.getByText('Resetting…').waitFor();
    });
  });
});
