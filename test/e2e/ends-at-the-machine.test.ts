import { describeWith } from '../needs.ts';
import { openAgain, showsEnd, showsError, tryNow, useBrowser, useScene } from './scene.ts';

describeWith('chromium')('a console, when its machine changes', () => {
  const browser = useBrowser();
  const moreMachines = [
    { vmid: 102, node: 'pve1', name: 'student-gpu', vga: 'none', terminal: true },
    { vmid: 103, node: 'pve1', name: 'student-blind', vga: 'none' },
  ];
  const scene = useScene(browser, { moreMachines });

  test('4409: the machine is off; the console opens when it starts', async () => {
    const { student, one } = scene;
    await one.stop();
    await student.visitConsole(100);
    await student.closedWith(4409);
    await student.hasHeading('The machine is off.');
    await one.start();
    await student.waitForState('open');
  });

  test('1000: the machine is shut down; the console reopens when it starts', async () => {
    const { student, one } = scene;
    await student.openConsole(100);
    await one.shutdown();
    await student.closedWith(1000);
    await student.hasHeading('The machine is off.');
    await one.start();
    await student.waitForState('open');
  });

  test('4404: the machine is deleted', async () => {
    const { student, stack, two } = scene;
    await student.openConsole(101);
    stack.proxmox.removeGuest(101);
    await student.closedWith(4404);
    // The relay's message or the broker's, whose list can be some seconds old.
    await student.hasHeading(/was moved or deleted|does not exist, or you have no access/);
    await showsEnd(student, { canReopen: false });
    await stack.proxmox.addGuest({ vmid: 101, node: 'pve2', name: 'student-two', guest: two });
  });

  test('4404: the machine moves to another node; the page reconnects there', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    stack.proxmox.migrate(100, 'pve2');
    await student.closedWith(4404);
    await student.waitForState('open');
    expect(student.sockets()).toBe(2);
    stack.proxmox.migrate(100, 'pve1');
  });

  test('4504: the screen does not answer; the page retries until it does', async () => {
    const { student, stack } = scene;
    stack.proxmox.stallConsole(100);
    await student.visitConsole(100);
    await showsError(student, 'console_timeout');
    await student.page.getByText(/Trying again (in \d+ s|now)/).waitFor();
    stack.proxmox.stallConsole(100, false);
    await tryNow(student);
    await student.waitForState('open');
  });

  test('4406: the machine has no display, but a serial port; the page leads to its terminal', async () => {
    const { student } = scene;
    await student.visitConsole(102);
    await showsError(student, 'terminal_only');
    await showsEnd(student, { canReopen: false });
    expect(student.sockets()).toBe(1);
    await student.page.getByRole('link', { name: 'Open terminal' }).click();
    await student.waitForState('open');
    await student.page.locator('#screen .xterm-rows').getByText('root@student-gpu:~#').waitFor();
  });

  test('4405: the machine has no display and no terminal; the page says so and does not retry', async () => {
    const { student } = scene;
    await student.visitConsole(103);
    await showsError(student, 'no_display');
    await showsEnd(student, { canReopen: false });
    expect(await student.page.getByRole('link', { name: 'Open terminal' }).count()).toBe(0);
  });

  test('4502: QEMU hangs; the page says so and leaves it to the user to try again', async () => {
    const { student, stack } = scene;
    stack.proxmox.hang(100);
    await student.visitConsole(100);
    await showsError(student, 'console_unresponsive');
    await showsEnd(student, { canReopen: true });
    stack.proxmox.hang(100, false);
    await openAgain(student);
    await student.waitForState('open');
  });

  test('4504: Proxmox drops the console; the page reopens it', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    stack.proxmox.dropConsoles(100);
    await showsError(student, 'console_lost');
    await student.waitForState('open');
  });
});
