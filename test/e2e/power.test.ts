import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { describeWith } from '../needs.ts';
import { aPerson, type Person } from './person.ts';
import { likeness, withoutFourth } from './pictures.ts';
import { startStack, type Stack } from './stack.ts';

describeWith('chromium')('a machine that is restarted, switched off, or left', () => {
  const guest = createBuiltinGuest({ name: 'student-pc' });
  let browser: Browser;
  let stack: Stack;
  let student: Person;

  beforeAll(async () => {
    browser = await startBrowser();
    stack = await startStack({ machines: [{ vmid: 100, node: 'pve1', name: 'student-pc', guest }] });
  });
  beforeEach(async () => {
    await guest.start();
    student = await aPerson(browser, stack.origin);
    await student.signIn('student');
    await student.openConsole(100);
  });
  afterEach(async () => {
    await student.leave();
    expect(student.faults).toEqual([]);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(async () => {
    await browser.stop();
    await stack.stop();
  });

  const ready = () =>
    eventually('the machine asks for commands', () => guest.text().some((row) => row.includes(':~$')));
  const shown = () =>
    eventually('the page shows its picture', async () => {
      return likeness(await student.picture(), withoutFourth(guest.framebuffer())) > 0.995;
    });

  test('Ctrl-Alt-Del from the toolbar restarts it, and the console stays on the same connection', async () => {
    await ready();
    await student.type('before');
    await eventually('it is typed', () => guest.keys() === 'before');
    await student.page.getByRole('button', { name: 'Send Ctrl-Alt-Del' }).click();
    await eventually('it starts anew', () => !guest.text().some((row) => row.includes('before')));
    await ready();
    await shown();
    // The keyboard belongs to the machine again, without another click.
    await student.page.keyboard.type('after');
    await eventually('it is typed', () => guest.text().some((row) => row.includes(':~$ after')));
    await student.reaches('open');
    expect(student.sockets()).toBe(1);
  });

  test('a reset at Proxmox is survived in the same way', async () => {
    await ready();
    await guest.reset();
    await eventually('it starts anew', () => !guest.text().some((row) => row.includes(':~$')));
    await ready();
    await shown();
    expect(student.sockets()).toBe(1);
  });

  test('shut down from inside, it is said to be off; started, it comes back by itself with a picture', async () => {
    await ready();
    await student.type('poweroff\n');
    await student.reads('The machine is off.');
    await student.closedWith(1000);
    await guest.start();
    await student.reaches('open');
    await shown();
  });

  test('closing the tab ends the console at Proxmox', async () => {
    const tab = await student.anotherTab();
    await tab.openConsole(100);
    expect(stack.proxmox.openConsoles(100)).toBe(2);
    await tab.page.close();
    await eventually('Proxmox has one console less', () => stack.proxmox.openConsoles(100) === 1);
    await student.page.goto(stack.origin);
    await eventually('leaving the page does it, too', () => stack.proxmox.openConsoles(100) === 0);
    expect(guest.connections()).toBe(0);
  });
});
