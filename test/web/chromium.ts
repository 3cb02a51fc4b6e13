import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

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

/** Starts Chromium with a profile of its own, which is removed when Chromium ends. */
export async function launchChromium(...switches: readonly string[]): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'porthole-chromium-'));
  const removeProfile = () => rmSync(profile, { recursive: true, force: true });
  // Playwright has killed Chromium by then.
  process.once('exit', removeProfile);
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
  browser.once('disconnected', () => {
    process.off('exit', removeProfile);
    removeProfile();
  });
  return browser;
}
