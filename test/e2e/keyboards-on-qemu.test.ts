import type { CDPSession } from 'playwright-core';
import type { LayoutId } from '../../services/broker/web/src/console/keyboard/layouts/layout-list.ts';
import { eventually } from '../eventually.ts';
import { createQemuGuest, type QemuGuest } from '../fakes/guests/qemu.ts';
import { decodeKeys } from '../keyboard/decode-keys.ts';
import { keysOfTrace } from '../keyboard/qemu-keys.ts';
import { describeWith } from '../needs.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { openBrowserUser, type BrowserUser } from './browser-user.ts';
import { startStack, type Stack } from './stack.ts';

/** A key of a user's keyboard: what a browser reports of it. */
type UserKey = readonly [key: string, code: string];

describeWith(
  'chromium',
  'qemu',
  'xkbcommon',
)('on QEMU', () => {
  const guests: Readonly<Record<string, readonly [vmid: number, guest: QemuGuest]>> = {
    none: [100, createQemuGuest({ name: 'no-layout' })],
    de: [101, createQemuGuest({ name: 'k-de', keyboard: 'de' })],
    fr: [102, createQemuGuest({ name: 'k-fr', keyboard: 'fr' })],
  };
  let browser: Browser;
  let stack: Stack;
  /** With browsers on these systems. */
  let users: Readonly<Record<'Linux x86_64' | 'Win32', BrowserUser>>;
  let user: BrowserUser;

  beforeAll(async () => {
    browser = await startBrowser();
    stack = await startStack({
      machines: Object.values(guests).map(([vmid, guest]) => ({
        vmid,
        node: 'pve1',
        name: `student-${vmid}`,
        guest,
      })),
    });
    users = { 'Linux x86_64': await signIn('Linux x86_64'), Win32: await signIn('Win32') };
  }, 60_000);
  afterAll(async () => {
    await browser.stop();
    await stack.stop();
    expect(Object.values(users).flatMap((each) => each.faults)).toEqual([]);
  });

  async function signIn(platform: string): Promise<BrowserUser> {
    const signedIn = await openBrowserUser(browser, stack.origin);
    // noVNC asks for it.
    await signedIn.page.addInitScript((name) => {
      Object.defineProperty(navigator, 'platform', { get: () => name });
    }, platform);
    await signedIn.signIn('student');
    return signedIn;
  }

  /** Opens a console, unless it is open already. */
  async function open(
    keyboard: keyof typeof guests,
    platform: keyof typeof users = 'Linux x86_64',
  ): Promise<QemuGuest> {
    user = users[platform];
    const [vmid, guest] = guests[keyboard] ?? [];
    if (vmid === undefined || !guest) throw new Error(`no such machine: ${keyboard}`);
    if (!user.page.url().endsWith(`/${vmid}`)) await user.openConsole(vmid);
    return guest;
  }

  /** What a Linux with this layout makes of the keys that arrive from now on, once they are as many as expected. */
  async function watch(guest: QemuGuest, id: LayoutId): Promise<(expected: string) => Promise<void>> {
    const before = (await guest.inputs()).length;
    const read = async () => decodeKeys([[id, keysOfTrace((await guest.inputs()).slice(before))]])[0] ?? '';
    return async (expected) => {
      await eventually('as many characters arrive, and no key is down', async () => {
        const text = await read();
        return text.length >= expected.length && !text.includes('held');
      });
      expect(await read()).toBe(expected);
    };
  }

  async function typeText(id: LayoutId, text: string): Promise<void> {
    const { page } = user;
    await page.mouse.move(600, 1);
    await page.getByRole('button', { name: 'Clipboard' }).click();
    await page.getByLabel('Keyboard layout in the machine').selectOption(`linux:${id}`);
    await page.getByLabel('To the machine').fill(text);
    await page.getByRole('button', { name: 'Type as keys' }).click();
    await page.getByText('Typed.').waitFor();
    await page.keyboard.press('Escape');
  }

  test.each([
    ['none', 'de', 'Größe 5 € | ~\\ @"§ é „a“\n{x}'],
    ['de', 'de', 'Größe 5 € | ~\\ @"§ é Ê\n{x}'],
    ['fr', 'fr', `L'été: 5 € {[|\\]} ~# Ë <ç>`],
  ] as const)('with -k %s, text in the layout %s is typed without a mistake', async (keyboard, id, text) => {
    const guest = await open(keyboard);
    const arrives = await watch(guest, id);
    await typeText(id, text);
    await arrives(text);
  });

  /** Presses keys as the browser reports them to the page. */
  async function pressKeys(
    session: CDPSession,
    keys: readonly UserKey[],
    altGr: boolean,
    windows: boolean,
  ): Promise<void> {
    const send = (type: 'keyDown' | 'keyUp', [key, code]: UserKey, modifiers = 0) =>
      session.send('Input.dispatchKeyEvent', {
        type,
        key,
        code,
        modifiers,
        ...(type === 'keyDown' && key.length === 1 ? { text: key } : {}),
      });
    const fakeControl: UserKey = ['Control', 'ControlLeft'];
    const altGrKey: UserKey = ['AltGraph', 'AltRight'];
    for (const key of keys) {
      if (altGr && windows) await send('keyDown', fakeControl, 2);
      if (altGr) await send('keyDown', altGrKey);
      await send('keyDown', key);
      await send('keyUp', key);
      if (altGr && windows) await send('keyUp', fakeControl);
      if (altGr) await send('keyUp', altGrKey);
    }
  }

  const german: readonly UserKey[] = [
    ['€', 'KeyE'],
    ['@', 'KeyQ'],
    ['{', 'Digit7'],
    ['[', 'Digit8'],
    [']', 'Digit9'],
    ['}', 'Digit0'],
    ['\\', 'Minus'],
    ['|', 'IntlBackslash'],
    ['~', 'BracketRight'],
  ];
  const french: readonly UserKey[] = [
    ['€', 'KeyE'],
    ['@', 'Digit0'],
    ['{', 'Digit4'],
    ['[', 'Digit5'],
    [']', 'Minus'],
    ['}', 'Equal'],
    ['\\', 'Digit8'],
    ['|', 'Digit6'],
  ];

  test.each([
    ['none', 'de', german],
    ['de', 'de', german],
    ['fr', 'fr', french],
  ] as const)(
    'with -k %s, a %s keyboard types its AltGr characters, on Linux and on Windows',
    async (keyboard, id, keys) => {
      for (const platform of ['Linux x86_64', 'Win32'] as const) {
        const guest = await open(keyboard, platform);
        const arrives = await watch(guest, id);
        await user.canvas().focus();
        const session = await user.page.context().newCDPSession(user.page);
        await pressKeys(session, keys, true, platform === 'Win32');
        await arrives(keys.map(([key]) => key).join(''));
      }
    },
  );

  const deadKeys: readonly UserKey[] = [
    ['Dead', 'Equal'],
    ['é', 'KeyE'],
  ];

  test('without -k, a dead key of the user works as one of the machine', async () => {
    const guest = await open('none');
    const arrives = await watch(guest, 'de');
    await user.canvas().focus();
    const session = await user.page.context().newCDPSession(user.page);
    await pressKeys(session, deadKeys, false, false);
    await arrives('é');
  });

  test('with -k, QEMU drops a dead key of the user', async () => {
    const guest = await open('de');
    const arrives = await watch(guest, 'de');
    await user.canvas().focus();
    const session = await user.page.context().newCDPSession(user.page);
    await pressKeys(session, [...deadKeys, ['x', 'KeyX']], false, false);
    await arrives('\u{fffd}\u{fffd}x');
  });
});
