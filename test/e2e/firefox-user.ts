import puppeteer, { type Browser, type BrowserContext, type Page } from 'puppeteer-core';
import { password } from './stack-config.ts';

export const firefoxPath = '/usr/bin/firefox-esr';

/** Firefox without a window, driven over WebDriver BiDi: Playwright drives only its own builds of Firefox. */
export function startFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: firefoxPath,
    headless: true,
    timeout: 60_000,
    extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 },
  });
}

/** A user of Firefox with a profile of their own. */
export interface FirefoxUser {
  readonly page: Page;
  /** What the pages did wrong. Must stay empty. */
  readonly faults: readonly string[];
  signIn(name: 'student' | 'instructor'): Promise<void>;
  /** Waits until the console page is in a state. */
  waitForState(state: string): Promise<void>;
  /** Clicks what has this role and accessible name, as soon as it can be clicked. */
  click(role: 'button' | 'link' | 'menuitem', name: string): Promise<void>;
  /** Waits for a text on the page. */
  sees(text: string): Promise<void>;
  close(): Promise<void>;
}

export async function openFirefoxUser(browser: Browser, origin: string): Promise<FirefoxUser> {
  const context: BrowserContext = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  page.setDefaultTimeout(45_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  const user: FirefoxUser = {
    page,
    faults,
    async signIn(name) {
      await page.goto(origin);
      await page.locator('::-p-aria([name="Name"][role="textbox"])').fill(name);
      await page.locator('input[type=password]').fill(password);
      await user.click('button', 'Sign in');
      await page.waitForSelector('body[data-page=machines]');
    },
    waitForState: async (state) => void (await page.waitForSelector(`body[data-state="${state}"]`)),
    click: (role, name) => page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click(),
    sees: async (text) => void (await page.waitForSelector(`::-p-text(${text})`)),
    close: () => context.close(),
  };
  return user;
}
