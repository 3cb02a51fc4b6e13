import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';

/** Playwright keeps all of its pages visible, so the page is told what a browser would tell it. */
const setHidden = (page: Page, hidden: boolean) =>
  page.evaluate(
    (state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
      document.dispatchEvent(new Event('visibilitychange'));
    },
    hidden ? 'hidden' : 'visible',
  );

const pixels = (page: Page, canvas: string) =>
  page.locator(canvas).evaluate((element: HTMLCanvasElement) => element.toDataURL());

describeWith('chromium')('a tab that stays hidden', () => {
  const browser = useBrowser();
  const scene = useScene(browser, {
    limits: { parkControlSeconds: 1, parkViewSeconds: 0, consolesPerUser: 1 },
  });

  test('releases its console at Proxmox, keeps its picture, and continues when it is visible', async () => {
    const { student, stack, one } = scene;
    const { page } = student;
    await student.openConsole(100);
    await setHidden(page, true);
    await student.waitForState('parked');
    await eventually('the console at Proxmox is closed', () => stack.proxmox.openConsoles() === 0);
    await page.getByText('Paused while this tab was hidden.').first().waitFor();
    const kept = await pixels(page, '#screen canvas');
    // More than one colour.
    expect(new Set((await student.picture()).data).size).toBeGreaterThan(2);
    expect(await page.locator('#screen').getAttribute('inert')).not.toBeNull();
    expect(student.sockets()).toBe(1);

    stack.proxmox.stallConsole(100);
    await setHidden(page, false);
    await page.locator('.hint', { hasText: 'Reconnecting…' }).waitFor();
    await page.locator('#last-frame').waitFor({ state: 'visible' });
    expect(await pixels(page, '#last-frame')).toBe(kept);
    await eventually('a console is being opened', () => stack.proxmox.openConsoles() === 1);
    // The first attempt is lost, and so the picture is needed for some seconds.
    stack.proxmox.stallConsole(100, false);
    stack.proxmox.dropConsoles(100);
    await student.waitForState('open');
    await page.locator('#last-frame').waitFor({ state: 'hidden' });
    await page.keyboard.type('back');
    await eventually('the keys arrive without a click', () => one.keys().endsWith('back'));
    expect(stack.proxmox.openConsoles()).toBe(1);
  });

  test('opens no console during a rollout of relays', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    await setHidden(student.page, true);
    await student.waitForState('parked');
    await stack.rollRelay();
    await student.closedWith(1012);
    await student.waitForState('parked');
    expect(student.sockets()).toBe(1);
    expect(stack.proxmox.openConsoles()).toBe(0);
    await setHidden(student.page, false);
    await student.waitForState('open');
    expect(student.sockets()).toBe(2);
  });

  test('stays open where the limits say so', async () => {
    const { student, stack } = scene;
    await student.openConsole(100, 'view');
    const texts = student.received.frames.filter((frame) => typeof frame === 'string').join('\n');
    expect(texts).toContain('"type":"opened"');
    expect(texts).not.toContain('parking');
    expect(stack.proxmox.openConsoles()).toBe(1);
  });
});
