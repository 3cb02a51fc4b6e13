import type { BrowserContext, Page } from 'playwright-core';
import { errorKinds } from '@porthole/shared/errors';
import {
  builtInLanguage,
  languageCookie,
  languages,
  languageTags,
  type Language,
} from '@porthole/shared/language/languages';
import { describeWith } from '../../needs.ts';
import { accessibilityFaults } from '../axe.ts';
import { startBrowser, waitForState, type Browser } from '../browser.ts';
import { startSite } from '../site.ts';
import { aClass, aMachine, aSeat, aSession } from '../site-data.ts';
import type { Site } from '../site-state.ts';
import { aRecording, recordingId } from './a-recording.ts';

const documentAttributes = (page: Page) =>
  page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);

describeWith('chromium')('the pages in the languages of their users', () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let context: BrowserContext;
  let faults: string[];
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  afterEach(async () => {
    await context.close();
    await site.stop();
    expect(faults).toEqual([]);
  });

  async function start(locale: string): Promise<void> {
    site = await startSite();
    site.machines = [aMachine({ allow: ['control', 'power'] })];
    site.sessions = [aSession('s1'), aSession('s2', { observers: ['Ina', 'Jo'] })];
    site.canSeeSessions = true;
    const help = { position: 1, since: new Date().toISOString(), text: 'My disk is full' };
    site.instructed = [
      aClass({ seats: [aSeat('ada', 101, { help }), aSeat('carl', 103, { state: 'off' })] }),
    ];
    ({ page, faults, context } = await browser.open({ locale, viewport: { width: 1280, height: 800 } }));
    await page.route('**/api/v1/recordings?*', (route) =>
      route.fulfill({ json: { recordings: [aRecording], mayManage: true } }),
    );
    await page.route(`**/api/v1/recordings/${recordingId}`, (route) => route.fulfill({ json: aRecording }));
  }

  const openConsole = async () => {
    await page.goto(`${site.origin}/console/lab/100`);
    await waitForState(page, 'open');
  };

  test('the language is that of the browser, and a user who changes it keeps it', async () => {
    await start('de-AT');
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Ihre Maschinen' }).waitFor();
    await page.getByText('1 Maschine, 1 in Betrieb').waitFor();
    expect(await documentAttributes(page)).toEqual(['de', 'ltr']);

    await page.getByLabel('Sprache').selectOption('fr');
    await page.getByRole('heading', { name: 'Vos machines' }).waitFor();
    expect(await documentAttributes(page)).toEqual(['fr', 'ltr']);
    expect(await page.title()).toBe('Vos machines – Porthole');

    await page.reload();
    await page.getByRole('heading', { name: 'Vos machines' }).waitFor();
    await page.getByLabel('Langue').selectOption('en');
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
  });

  test('a console changes its language with the keyboard, and stays open', async () => {
    await start('en-US');
    await openConsole();
    await page.keyboard.press('Control+Alt+Shift');
    await page.getByRole('button', { name: 'Language' }).press('Enter');
    await page.getByRole('dialog', { name: 'Language' }).getByRole('button', { name: 'English' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page
      .getByRole('toolbar', { name: 'Konsole' })
      .getByText('Verbunden')
      .waitFor({ state: 'attached' });
    expect(site.opened).toHaveLength(1);
    expect(await documentAttributes(page)).toEqual(['de', 'ltr']);
  });

  test('errors of the broker and the relay are in the language of the page', async () => {
    await start('de');
    site.grantReplies.push({ status: 429, code: 'user_limit', title: errorKinds.user_limit.text });
    await page.goto(`${site.origin}/console/lab/100`);
    await page.getByText('Sie haben zu viele Konsolen offen. Schließen Sie zuerst eine.').first().waitFor();
    await openConsole();
    site.opened.at(-1)?.close(4423, 'Ended by Ina.');
    await page.getByText('Beendet von Ina.').first().waitFor();
    await openConsole();
    site.opened.at(-1)?.close(4408, 'Something that no page knows');
    await page.getByText('Something that no page knows.').first().waitFor();
  });

  test('a page whose words cannot be loaded is in English, and says so', async () => {
    await start('de');
    await page.route('**/language-de-*', (route) => route.abort());
    await page.goto(site.origin);
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(await documentAttributes(page)).toEqual(['en', 'ltr']);
    await page.getByLabel('Language').selectOption('de');
    await page.waitForFunction(() => document.querySelector('select')?.value === 'en');
    expect(await context.cookies()).toEqual([]);
  });

  const others = languageTags.filter((language) => language !== builtInLanguage);

  /** Where users have the menu, they switch there. Otherwise the next page has the language. */
  async function show(language: Language, path: string): Promise<void> {
    const menu = page.locator('.language-menu select');
    const tool = page.locator('.more-tools .tool').nth(-3);
    if ((await menu.count()) > 0) await menu.selectOption(language);
    else if ((await tool.count()) > 0) {
      // The toolbar may be hidden.
      await tool.evaluate((button: HTMLElement) => button.click());
      await page.locator(`.language-choice[lang=${language}]`).click();
    } else {
      await context.addCookies([{ name: languageCookie, value: language, url: site.origin }]);
      await page.goto(site.origin + path);
    }
    await page.locator(`html[lang=${language}]`).waitFor({ state: 'attached' });
  }

  /** Elements that stand out beside the page. */
  async function tooWide(): Promise<boolean> {
    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    await page.setViewportSize({ width: 1280, height: 800 });
    return wide;
  }

  const launch = {
    step: 'select',
    code: 'c',
    multiple: true,
    machines: [{ id: 'lab/100', name: 'web-1' }],
    classes: [{ name: 'networks', title: 'Networks' }],
  };

  test.each([
    ['the list of machines', '/', '.machine-name'],
    ['live consoles', '/sessions', '.session'],
    ['a class', '/classes', '.seat-help'],
    ['recordings', '/recordings', '[data-recording]'],
    ['a recording', `/recordings/${recordingId}`, '.player-controls'],
    ['a console', '/console/lab/100', '.bar'],
    ['a launch', '/lti.html', 'fieldset'],
    ['the sign-in page', '/?signed-out', '#password'],
  ])(
    'axe finds nothing in any language on the page of %s, which fits a phone',
    async (_what, path, ready) => {
      await start('en-US');
      site.signedIn = path !== '/?signed-out';
      await page.route('**/lti.html', async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace('id="step">', `id="step">${JSON.stringify(launch)}`);
        await route.fulfill({ response, body });
      });
      await page.goto(site.origin + path);
      await page.locator(ready).first().waitFor();
      for (const language of others) {
        await show(language, path);
        await page.locator(ready).first().waitFor();
        if (path.startsWith('/console')) await waitForState(page, 'open');
        expect(await documentAttributes(page)).toEqual([language, languages[language].direction]);
        expect([language, await accessibilityFaults(page), await tooWide()]).toEqual([language, [], false]);
      }
    },
  );

  test('in Arabic, everything but the screen is on the other side', async () => {
    await start('ar');
    await openConsole();
    const left = async (selector: string) => (await page.locator(selector).first().boundingBox())?.x ?? -1;
    expect(await left('.bar-title')).toBeGreaterThan(await left('.bar-tools'));
    await page.mouse.move(600, 2);
    await page.locator('.bar a[data-home]').focus();
    await page.keyboard.press('ArrowLeft');
    expect(
      await page
        .locator('.bar-tools .tool')
        .first()
        .evaluate((tool) => tool.matches(':focus')),
    ).toBe(true);
    expect(await page.locator('#screen').evaluate((screen) => getComputedStyle(screen).direction)).toBe(
      'ltr',
    );
    await page.goto(`${site.origin}/classes`);
    await page.locator('.seat-help').waitFor();
    expect(await left('[data-seat="lab/101"]')).toBeGreaterThan(await left('[data-seat="lab/103"]'));
  });
});
