import type { BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser, waitForState, type Browser } from '../browser.ts';
import { contentOutsideLandmarks } from '../landmarks.ts';
import { startSite } from '../site.ts';
import type { Site } from '../site-state.ts';
import type { OpenedConsole } from '../site-relay.ts';

/** A browser page and a site for each test of a `describe`, and what console tests look at. */
export interface ConsoleTest {
  readonly page: Page;
  readonly site: Site;
  /** What the page did wrong. Must be empty at the end of each test. */
  readonly faults: string[];
  /** Visits the console and waits for its picture. */
  open(path?: string): Promise<void>;
  /** The console that was opened last. */
  newest(): OpenedConsole;
  /** RFB messages of one type that the machine received. */
  received(type: number): OpenedConsole['received'];
  /** Keysyms of the keys that were pressed in the machine. */
  keysDown(): number[];
  hasHeading(text: string): Promise<void>;
}

export function useConsole(
  options: BrowserContextOptions = { viewport: { width: 1280, height: 800 } },
): ConsoleTest {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let faults: string[];
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());
  beforeEach(async () => {
    site = await startSite();
    ({ page, faults } = await browser.open(options));
  });
  afterEach(async () => {
    expect(await page.locator('body').innerText()).not.toMatch(/1006|1005/);
    expect(await contentOutsideLandmarks(page)).toEqual([]);
    await page.context().close();
    await site.stop();
    expect(faults).toEqual([]);
  });
  const newest = () => site.opened.at(-1) as OpenedConsole;
  const received = (type: number) => newest().received.filter((each) => each.type === type);
  return {
    get page() {
      return page;
    },
    get site() {
      return site;
    },
    get faults() {
      return faults;
    },
    async open(path = '/console/lab/100') {
      await page.goto(site.origin + path);
      await waitForState(page, 'open');
    },
    newest,
    received,
    keysDown: () =>
      received(4)
        .filter(({ bytes }) => bytes[1] === 1)
        .map(({ bytes }) => bytes.readUInt32BE(4)),
    hasHeading: (text) => page.getByRole('heading', { name: text }).waitFor(),
  };
}

export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 500) throw new Error(`This never came true: ${condition.toString()}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
