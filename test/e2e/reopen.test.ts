import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';

/** With room for one console, the old one must be gone before the new one is counted. */
describeWith('chromium')('opening a console again, with room for one', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { limits: { consolesPerUser: 1, consolesPerMachine: 1 } });

  test('by reloading the page', async () => {
    const { student } = scene;
    await student.openConsole(100);
    for (let times = 0; times < 5; times++) {
      await student.page.reload();
      await student.waitForState('open');
    }
  });

  test('by the button in the toolbar', async () => {
    const { student } = scene;
    await student.openConsole(100);
    for (let times = 2; times < 7; times++) {
      await student.page.mouse.move(640, 1);
      await student.page.getByRole('button', { name: 'Reconnect' }).click();
      await eventually('there is a new connection', () => student.sockets() === times);
      await student.waitForState('open');
    }
  });

  test('by going to another machine and back', async () => {
    const { student } = scene;
    for (let times = 0; times < 3; times++) {
      await student.openConsole(100);
      await student.openConsole(101);
    }
  });

  test('by a rollout of relays', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    await stack.rollRelay();
    await student.closedWith(1012);
    await eventually('there is a new connection', () => student.sockets() === 2);
    await student.waitForState('open');
  });

  test('after a line that broke', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    stack.cutConnections();
    await eventually('there is a new connection', () => student.sockets() === 2);
    await student.waitForState('open');
  });
});

/** The grant request that opens the console is the only one that counts. */
describeWith('chromium')('returning to a console after an outage, with one grant request a minute', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { limits: { grantsPerMinute: 1 } });

  test('works each time, although a new console is refused', async () => {
    const { student, stack } = scene;
    await student.openConsole(100);
    for (let times = 2; times < 5; times++) {
      stack.proxmox.dropConsoles(100);
      await student.closedWith(4504);
      await eventually('there is a new connection', () => student.sockets() === times);
      await student.waitForState('open');
    }
    const tab = await student.anotherTab();
    await tab.visitConsole(101);
    await tab.hasHeading('Too many attempts.');
    await tab.close();
  });
});
