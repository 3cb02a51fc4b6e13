import type { Browser } from 'playwright-core';

let shared: Promise<Browser> | undefined;

/**
 * The Chromium of this process. The first caller starts it, and the next one after a crash. One is enough for all test files
 * of a worker, because each of their pages has a context of its own. A start takes as much CPU time as several tests.
 */
export function sharedChromium(): Promise<Browser> {
  shared ??= start();
  return shared;
}

async function start(): Promise<Browser> {
  try {
    // Not before, because many workers run tests without a browser only.
    const { launchChromium } = await import('./chromium.ts');
    const browser = await launchChromium();
    browser.once('disconnected', () => (shared = undefined));
    return browser;
  } catch (error) {
    shared = undefined;
    throw error;
  }
}

export const hasSharedChromium = () => shared !== undefined;

/** Closes what a test file has left open. */
export async function closeSharedContexts(): Promise<void> {
  const browser = await shared?.catch(() => undefined);
  for (const context of browser?.contexts() ?? []) await context.close();
}

export async function stopSharedChromium(): Promise<void> {
  const browser = await shared?.catch(() => undefined);
  await browser?.close();
}
