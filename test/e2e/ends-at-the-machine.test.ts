import { describeWith } from '../needs.ts';
import { isOver, isTold, tryNow, useBrowser, useScene } from './scene.ts';

describeWith('chromium')('a console that ends because of its machine', () => {
  const browser = useBrowser();
  const scene = useScene(browser);

  test('4409: the machine is off; the console opens as soon as it runs', async () => {
    const { student, one } = scene;
    await one.stop();
    await student.visitConsole(100);
    await student.closedWith(4409);
    await student.reads('The machine is off.');
    await one.start();
    await student.reaches('open');
  });

  test('1000: it was shut down; the console comes back with it', async () => {
    const { student, one } = scene;
    await student.openConsole(100);
    await one.shutdown();
    await student.closedWith(1000);
    await student.reads('The machine is off.');
    await one.start();
    await student.reaches('open');
  });

  test('4404: it was deleted', async () => {
    const { student, stack, two } = scene;
    await student.openConsole(101);
    stack.proxmox.removeGuest(101);
    await student.closedWith(4404);
    // The relay's words or the broker's: its list may be some seconds old.
    await student.reads(
      /was moved or deleted|does not exist or is not yours|does not exist, or you have no access/,
    );
    await isOver(student, { openAgain: false });
    await stack.proxmox.addGuest({ vmid: 101, node: 'pve2', name: 'student-two', guest: two });
  });

  test('4404: it moved to another node; the page finds it there by itself', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    stack.proxmox.migrate(100, 'pve2');
    await student.closedWith(4404);
    await student.reaches('open');
    expect(student.sockets()).toBe(2);
    stack.proxmox.migrate(100, 'pve1');
  });

  test('4504: its screen stays silent; the page tries again until it speaks', async () => {
    const { student, stack } = scene;
    stack.proxmox.stallConsole(100);
    await student.visitConsole(100);
    await isTold(student, 'console_timeout');
    await student.page.getByText(/Trying again (in \d+ s|now)/).waitFor();
    stack.proxmox.stallConsole(100, false);
    await tryNow(student);
    await student.reaches('open');
  });

  test('4504: Proxmox drops its console; it opens again by itself', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    stack.proxmox.dropConsoles(100);
    await isTold(student, 'console_lost');
    await student.reaches('open');
  });
});
