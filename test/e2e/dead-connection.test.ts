import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { startBlackHole, type BlackHole } from './black-hole.ts';
import { useBrowser, useScene } from './scene.ts';

const noticeLimitMs = 15_000;

describeWith('chromium')('a network that loses every packet', () => {
  const browser = useBrowser();
  let network: BlackHole;
  const options = {
    relayPort: 0,
    settings: () => ({ relayUrl: `ws://127.0.0.1:${network.port}` }),
  };
  beforeAll(async () => {
    options.relayPort = await freePort();
    network = await startBlackHole(() => options.relayPort);
  });
  const scene = useScene(browser, options);
  afterAll(() => network.stop());

  test('is noticed within 15 seconds; no input is kept; the console recovers by itself', async () => {
    const { student, one } = scene;
    const { page } = student;
    const input = page.getByRole('button', { name: /^(Send Ctrl-Alt-Del|Keyboard|Clipboard)$/ });
    await student.openConsole(100);
    await student.type('before');
    await eventually('the keys arrive', () => one.keys().endsWith('before'));
    expect(await input.count()).toBe(3);

    network.open();
    const lostAt = Date.now();
    await student.hasHeading('Connection lost. Reconnecting…');
    expect(Date.now() - lostAt).toBeLessThan(noticeLimitMs);
    // The picture stays, and nothing leads to the machine.
    expect(await page.locator('#last-frame').isVisible()).toBe(true);
    expect(await page.locator('#screen').getAttribute('inert')).not.toBeNull();
    expect(await input.count()).toBe(0);
    await page.keyboard.type('lost');
    await page.mouse.click(640, 600);
    await page.keyboard.type('lost');
    await eventually('it tries to reconnect', () => network.swallowed > 0);

    network.close();
    await student.waitForState('open');
    await page.keyboard.type('after');
    await eventually('the keys arrive without a click', () => one.keys().endsWith('after'));
    expect(one.keys()).toMatch(/beforeafter$/);
  });

  test('that comes back before the page gives up changes nothing', async () => {
    const { student, one } = scene;
    await student.openConsole(100);
    network.open();
    await new Promise((resolve) => setTimeout(resolve, 8000));
    network.close();
    await student.type('still here');
    await eventually('the keys arrive', () => one.keys().endsWith('still here'));
    await student.waitForState('open');
    expect(student.sockets()).toBe(1);
  });
});
