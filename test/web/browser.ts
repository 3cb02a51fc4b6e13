import type { Browser as Chromium, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

export interface Browser {
  /** Opens a page in its own context. `faults` collects what it does wrong and must stay empty. */
  open(options?: BrowserContextOptions): Promise<{ page: Page; faults: string[]; context: BrowserContext }>;
  stop(): Promise<void>;
}

/** Set by jest-environment.mjs: the Chromium that the test files of a worker share. */
const { sharedChromium } = globalThis as { sharedChromium?: () => Promise<Chromium> };

/** Chromium for one test file. With switches, and outside of Jest, it is a process of its own. */
export async function startBrowser(...switches: readonly string[]): Promise<Browser> {
  const isShared = sharedChromium !== undefined && switches.length === 0;
  const browser = isShared ? await sharedChromium() : await launch(switches);
  const contexts = new Set<BrowserContext>();
  return {
    async open(options = {}) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
      contexts.add(context);
      context.once('close', () => contexts.delete(context));
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
      await Promise.all([...contexts].map((context) => context.close()));
      if (!isShared) await browser.close();
    },
  };
}

async function launch(switches: readonly string[]): Promise<Chromium> {
  const { launchChromium } = await import('./chromium.ts');
  return launchChromium(...switches);
}

/** Waits until the console page is in a state. */
export async function waitForState(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-state="${state}"]`).waitFor({ state: 'attached' });
}
