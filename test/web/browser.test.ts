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

  test('is the one of all test files of a worker, each with contexts of its own', async () => {
    const { page, context } = await browser.open();
    const other = await startBrowser();
    const { page: otherPage, context: otherContext } = await other.open();
    expect(otherContext.browser()).toBe(context.browser());
    await other.stop();
    expect([page.isClosed(), otherPage.isClosed()]).toEqual([false, true]);
  });

  test('is started again after a crash, which fails what waits for its pages', async () => {
    const { page, context } = await browser.open();
    const missing = expect(page.locator('.missing').waitFor()).rejects.toThrow('has been closed');
    const session = await context.browser()?.newBrowserCDPSession();
    await session?.send('Browser.crash').catch(() => {});
    await missing;
    browser = await startBrowser();
    expect(await (await browser.open()).page.title()).toBe('');
  });
});
