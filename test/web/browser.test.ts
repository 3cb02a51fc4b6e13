import { describeWith } from '../needs.ts';
import { startBrowser, type Browser } from './browser.ts';

describeWith('chromium')('the browser of these tests', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());

  test("opens no pages of Chromium's own beside a page, which take as long as that page", async () => {
    const { context } = await browser.open();
    const session = await context.browser()?.newBrowserCDPSession();
    const answer = await session?.send('Target.getTargets', { filter: [{}] });
    const kinds = (answer?.targetInfos ?? []).map(({ type }) => type);
    expect(kinds.toSorted()).toEqual(['page', 'tab']);
  });
});
