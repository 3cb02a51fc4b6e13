import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/**
 * Chromium takes only the last `--disable-features`, so this repeats the list of Playwright (`chromiumSwitches.ts`) as far as
 * it concerns Chromium on Linux.
 */
const featuresOffForPlaywright = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];

/** Pages and processes that Chromium prepares for the user of each window. They take as long as a page of Porthole. */
const featuresForUsersOfWindows = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'SpareRendererForSitePerProcess',
];

export interface Browser {
  /** Opens a page in its own context. `faults` collects what it does wrong and must stay empty. */
  open(options?: BrowserContextOptions): Promise<{ page: Page; faults: string[]; context: BrowserContext }>;
  stop(): Promise<void>;
}

/** One Chromium per test file, with its own profile. */
export async function startBrowser(...switches: readonly string[]): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'porthole-chromium-'));
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${[...featuresOffForPlaywright, ...featuresForUsersOfWindows].join(',')}`,
      `--disk-cache-dir=${profile}`,
      ...switches,
    ],
  });
  return {
    async open(options = {}) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
      page.on('console', (message) => {
        const text = message.text();
        // The browser logs each HTTP status from 400 on, which tests provoke.
        if (message.type() === 'error' && !text.startsWith('Failed to load resource')) faults.push(text);
      });
      page.on('request', (request) => {
        const { hostname, protocol } = new URL(request.url());
        if (protocol.startsWith('http') && hostname !== '127.0.0.1') faults.push(`asked ${request.url()}`);
      });
      return { page, faults, context };
    },
    async stop() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until the console page is in a state. */
export async function waitForState(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-state="${state}"]`).waitFor({ state: 'attached' });
}
