import { mkdirSync } from 'node:fs';
import type { Browser } from 'puppeteer-core';
import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { openFirefoxUser, startFirefox, type FirefoxUser } from './firefox-user.ts';
import { startStack, type Stack } from './stack.ts';

/** What depends on the browser: WebSockets, keys, the canvas, the clipboard, workers and the layout. */
describeWith('firefox')('in Firefox', () => {
  const guest = createBuiltinGuest({ name: 'student-one' });
  let browser: Browser;
  let stack: Stack;
  let student: FirefoxUser;
  let users: FirefoxUser[] = [];

  beforeAll(async () => {
    stack = await startStack({
      machines: [
        { vmid: 100, node: 'pve1', name: 'student-one', guest },
        { vmid: 200, node: 'pve2', type: 'lxc', name: 'student-box' },
      ],
      separate: true,
      deadlines: { unwatchedScreen: 1000 },
      rules: {
        access: [{ who: { everyone: true }, which: { names: ['{user}-*'] }, allow: ['control', 'terminal'] }],
        classes: [
          {
            name: 'class-a',
            title: 'Class A',
            members: { groups: ['class-a'] },
            instructors: { groups: ['instructors'] },
            machines: { names: ['student-one'] },
            own: ['{user}-*'],
            allow: ['control'],
          },
        ],
      },
    });
    browser = await startFirefox();
  });
  async function signInAs(name: 'student' | 'instructor'): Promise<FirefoxUser> {
    const user = await openFirefoxUser(browser, stack.origin);
    users.push(user);
    await user.signIn(name);
    return user;
  }
  beforeEach(async () => {
    users = [];
    student = await signInAs('student');
  });
  afterEach(async () => {
    for (const user of users) await user.close();
    expect(users.flatMap(({ faults }) => faults)).toEqual([]);
    await eventually('all consoles are closed', () => stack.proxmox.openConsoles() === 0);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await stack.stop();
  });

  async function takePicture({ page }: FirefoxUser, name: string): Promise<void> {
    const folder = process.env['PICTURES'];
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.bringToFront();
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
  async function openScreen(user: FirefoxUser): Promise<void> {
    await user.page.goto(`${stack.origin}/console/lab/100`);
    await user.waitForState('open');
  }
  const typed = async (user: FirefoxUser, keys: string) => {
    const before = guest.keys().length;
    // Users share a window, and a tab in the background is hidden.
    await user.page.bringToFront();
    await user.page.focus('#screen canvas');
    await user.page.keyboard.type(keys);
    await eventually('the keys arrive', () => guest.keys().slice(before) === keys);
  };

  test('a screen opens from the list, takes keys, clicks and text, and continues at another relay', async () => {
    await student.click('link', 'student-one');
    await student.waitForState('open');
    await takePicture(student, 'firefox-screen');
    await typed(student, 'aB-@{');
    await student.page.mouse.click(600, 400);
    await eventually('the click arrives', () => guest.pointer().x > 0 && guest.pointer().buttons === 0);
    await student.page.mouse.move(600, 2);
    await student.click('button', 'Clipboard');
    await student.page.locator('.panel textarea').fill('Grüße aus dem Labor');
    await takePicture(student, 'firefox-clipboard');
    await student.click('button', 'Send');
    await eventually('the text arrives', () => guest.clipboard() === 'Grüße aus dem Labor');
    await student.page.keyboard.press('Escape');
    await stack.rollRelay();
    await student.waitForState('open');
    await typed(student, 'c');
  });

  test('a terminal shows what is typed', async () => {
    await student.page.goto(`${stack.origin}/console/lab/200?kind=terminal`);
    await student.waitForState('open');
    await student.sees('root@student-box');
    await student.page.keyboard.type('echo gr\u00fcn\n');
    await eventually('the output is shown', () =>
      student.page.evaluate(() =>
        [...document.querySelectorAll('#screen .xterm-rows > div')].some(
          ({ textContent }) => textContent?.trim() === 'gr\u00fcn',
        ),
      ),
    );
    await takePicture(student, 'firefox-terminal');
  });

  test('an instructor sees the picture of a seat, looks at it, and takes control', async () => {
    await openScreen(student);
    const instructor = await signInAs('instructor');
    await instructor.click('link', 'Classes');
    await instructor.sees('Class A');
    await instructor.page.waitForSelector('.seat [data-picture="live"] canvas');
    await takePicture(instructor, 'firefox-wall');
    await typed(student, 'd');
    await instructor.page.bringToFront();
    await instructor.page.locator('.seat [data-picture="live"]').click();
    await instructor.click('button', 'Take control');
    await student.page.waitForSelector('.control-bar ::-p-text(Ina Instructor has control)', {
      visible: true,
    });
    await takePicture(instructor, 'firefox-large-view');
    await takePicture(student, 'firefox-controlled');
  });
});
