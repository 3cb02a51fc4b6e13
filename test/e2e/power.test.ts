import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, type BrowserUser } from './browser-user.ts';
import { likeness, withoutFourth } from './pictures.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('a console, when its machine restarts or stops', () => {
  const guest = createBuiltinGuest({ name: 'student-pc' });
  let browser: Browser;
  let stack: Stack;
  let student: BrowserUser;

  beforeAll(async () => {
    browser = await startBrowser();
    stack = await startStack({ machines: [{ vmid: 100, node: 'pve1', name: 'student-pc', guest }] });
  });
  beforeEach(async () => {
    await guest.start();
    student = await openBrowserUser(browser, stack.origin);
    await student.signIn('student');
    await student.openConsole(100);
  });
  afterEach(async () => {
    await student.close();
    expect(student.faults).toEqual([]);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(async () => {
    await browser.stop();
    await stack.stop();
  });

  const ready = () =>
    eventually('the machine shows its prompt', () => guest.text().some((row) => row.includes(':~$')));
  const shown = () =>
    eventually("the page shows the machine's picture", async () => {
      return likeness(await student.picture(), withoutFourth(guest.framebuffer())) > 0.995;
    });

  test('stays on the same connection when Ctrl-Alt-Del restarts the machine', async () => {
    await ready();
    await student.type('before');
    await eventually('the keys arrive', () => guest.keys() === 'before');
    await student.page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).click();
    await eventually('the machine restarts', () => !guest.text().some((row) => row.includes('before')));
    await ready();
    await shown();
    // The next keys go to the machine without a click.
    await student.page.keyboard.type('after');
    await eventually('the keys arrive', () => guest.text().some((row) => row.includes(':~$ after')));
    await student.waitForState('open');
    expect(student.sockets()).toBe(1);
  });

  test('stays on the same connection when Proxmox resets the machine', async () => {
    await ready();
    await guest.reset();
    await eventually('the machine restarts', () => !guest.text().some((row) => row.includes(':~$')));
    await ready();
    await shown();
    expect(student.sockets()).toBe(1);
  });

  test('says that the machine is off, and reopens when it starts', async () => {
    await ready();
    await student.type('poweroff\n');
    await student.hasHeading('The machine is off.');
    await student.closedWith(1000);
    await guest.start();
    await student.waitForState('open');
    await shown();
  });

  test('ends at Proxmox when the tab is closed or left, and not while another tab shares it', async () => {
    const tab = await student.anotherTab();
    await tab.openConsole(100);
    expect(stack.proxmox.openConsoles(100)).toBe(1);
    await tab.page.close();
    await student.waitForState('open');
    expect(stack.proxmox.openConsoles(100)).toBe(1);
    // A screen that was shared is kept for ten seconds, because its last viewer may reload.
    await student.page.goto(stack.origin);
    await eventually('the console is closed', () => stack.proxmox.openConsoles(100) === 0);
    await student.openConsole(100);
    await student.page.goto(stack.origin);
    await eventually('leaving the page does it at once, too', () => stack.proxmox.openConsoles(100) === 0, {
      withinMs: 9000,
    });
    expect(guest.connections()).toBe(0);
  });
});
