import type { BrowserContext, Page } from 'playwright-core';
import { errorKinds } from '@porthole/shared/errors';
import { builtInLanguage, languages, languageTags } from '@porthole/shared/language/languages';
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
  });

  const visits: readonly (readonly [path: string, ready: string])[] = [
    ['/', '.machine-name'],
    ['/sessions', '.session'],
    ['/classes', '.seat-help'],
    ['/recordings', '[data-recording]'],
    [`/recordings/${recordingId}`, '.player-controls'],
    ['/console/lab/100', '.bar'],
  ];

  test.each(languageTags.filter((language) => language !== builtInLanguage))(
    'axe finds nothing on any page in %s',
    async (language) => {
      await start(language);
      const found: string[] = [];
      for (const [path, ready] of visits) {
        await page.goto(site.origin + path);
        await page.locator(ready).first().waitFor();
        if (path.startsWith('/console')) await waitForState(page, 'open');
        expect(await documentAttributes(page)).toEqual([language, languages[language].direction]);
        found.push(...(await accessibilityFaults(page)).map((fault) => `${path} ${fault}`));
      }
      site.signedIn = false;
      await page.goto(site.origin);
      await page.locator('#password').waitFor();
      found.push(...(await accessibilityFaults(page)).map((fault) => `sign-in ${fault}`));
      expect(found).toEqual([]);
    },
  );
});
