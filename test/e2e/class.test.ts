import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { takePicture } from '../take-picture.ts';
import type { BrowserUser } from './browser-user.ts';
import { useBrowser, useScene } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack-config.ts';

/** A class in session, with real services between the pages and the machines. */
describeWith('chromium')('an instructor and two students', () => {
  const browser = useBrowser();
  const friendsMachine = createBuiltinGuest({ name: 'friend-one' });
  const scene = useScene(browser, {
    rules: {
      classes: [
        {
          name: 'class-a',
          title: 'Class A',
          members: { groups: ['class-a'] },
          instructors: { groups: ['instructors'] },
          machines: { names: ['student-*', 'friend-*'] },
          own: ['{user}-*'],
          allow: ['control', 'power'],
        },
      ],
    },
    moreMachines: [
      { vmid: 102, node: 'pve1', name: 'friend-one', guest: friendsMachine },
      { vmid: 103, node: 'pve1', name: 'friend-two', running: false },
    ],
    proxmox: {
      powerMs: 300,
      users: [
        {
          userid: proxmoxAccount.userid,
          password: proxmoxAccount.password,
          acl: { '/': [...everythingAllowed['/'], 'VM.PowerMgmt'] },
        },
      ],
    },
  });

  async function openClass(): Promise<BrowserUser> {
    const instructor = await scene.signInAs('instructor');
    await instructor.visitMachines();
    await instructor.page.getByRole('link', { name: 'Classes' }).click();
    await instructor.page.getByRole('heading', { name: 'Class A' }).waitFor();
    return instructor;
  }
  async function openBoth(): Promise<{ student: BrowserUser; friend: BrowserUser }> {
    const { student } = scene;
    const friend = await scene.signInAs('friend');
    await student.openConsole(100);
    await friend.openConsole(102);
    return { student, friend };
  }
  const seatOf = ({ page }: BrowserUser, name: string) => page.locator('.seat').filter({ hasText: name });
  const button = ({ page }: BrowserUser, name: string | RegExp) => page.getByRole('button', { name });

  test('one click pauses both consoles with all their keys, and another click resumes them', async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    await seatOf(instructor, 'Sam Student').getByText('Console open').waitFor();
    await seatOf(instructor, 'Fay Friend').getByText('Console open').waitFor();
    await student.type('a');
    await eventually('the key arrives', () => scene.one.keys().endsWith('a'));
    await instructor.page.getByLabel('Text while paused').fill('Eyes up here.');
    await button(instructor, 'Pause all').click();
    for (const user of [student, friend]) {
      await user.hasHeading('Ina Instructor has paused the class');
      await user.page.getByText('Eyes up here.', { exact: true }).waitFor();
    }
    await takePicture(instructor, 'instructor-paused');
    await takePicture(student, 'student-in-a-paused-class');
    const before = [scene.one.keys(), friendsMachine.keys()];
    await student.page.keyboard.type('bcd');
    await friend.page.keyboard.type('bcd');
    await button(instructor, 'Resume').click();
    for (const user of [student, friend])
      await user.page.locator('[data-paused]').waitFor({ state: 'detached' });
    await student.page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
    await student.page.keyboard.type('e');
    await eventually('the next key arrives', () => scene.one.keys() === `${before[0]}e`);
    expect(friendsMachine.keys()).toBe(before[1]);
  });

  test('the instructor sees the live pictures of both machines, and the students read that', async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    const picture = (name: string) => seatOf(instructor, name).locator('[data-picture="live"] canvas');
    await picture('Sam Student').waitFor();
    await picture('Fay Friend').waitFor();
    for (const user of [student, friend])
      await user.page.getByText('Ina Instructor', { exact: false }).first().waitFor();
    const before = await picture('Fay Friend').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    await eventually('a change of the machine reaches the wall', async () => {
      friendsMachine.paint(({ fill, width, height }) => fill(0, 0, width, height, 0x33_66_99));
      const now = await picture('Fay Friend').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
      expect(now).not.toBe(before);
    });
    await student.type('a');
    await eventually('the student can still type', () => scene.one.keys().endsWith('a'));
    await takePicture(instructor, 'instructor-with-a-wall');
    await takePicture(student, 'student-on-a-wall');
  });

  test('a console that is opened, or loses its relay, during a pause is paused within seconds', async () => {
    const { student } = scene;
    await student.openConsole(100);
    const instructor = await openClass();
    await button(instructor, 'Pause all').click();
    await student.hasHeading('Ina Instructor has paused the class');
    const friend = await scene.signInAs('friend');
    await friend.openConsole(102);
    await friend.hasHeading('Ina Instructor has paused the class');
    const sockets = student.sockets();
    scene.stack.cutConnections();
    await eventually('the page reconnects', () => student.sockets() > sockets);
    await student.hasHeading('Ina Instructor has paused the class');
    await scene.stack.rollRelay();
    for (const user of [student, friend]) {
      await eventually('the page reconnects', () => user.sockets() > 1);
      await user.hasHeading('Ina Instructor has paused the class');
    }
    const before = scene.one.keys();
    await student.page.keyboard.type('x');
    await button(instructor, 'Resume').click();
    await student.page.locator('[data-paused]').waitFor({ state: 'detached' });
    await student.page.waitForFunction(() => document.activeElement?.tagName === 'CANVAS');
    await student.page.keyboard.type('y');
    await eventually('the next key arrives', () => scene.one.keys() === `${before}y`);
  });

  test('a message to one student stays on that console until it is dismissed', async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    await button(instructor, 'Message to Fay Friend').click();
    await instructor.page.keyboard.type('Well done.');
    await button(instructor, 'Send to Fay Friend').click();
    await friend.page.getByText('Message from Ina Instructor').waitFor();
    await friend.page.getByText('Well done.').waitFor();
    await takePicture(friend, 'student-with-a-message');
    await button(friend, 'Dismiss').click();
    await friend.page.getByText('Well done.').waitFor({ state: 'detached' });
    await instructor.page.getByRole('textbox', { name: 'Message' }).fill('Five more minutes.');
    await button(instructor, 'Send to all').click();
    for (const user of [student, friend]) await user.page.getByText('Five more minutes.').waitFor();
    expect(await student.page.getByText('Well done.').count()).toBe(0);
  });

  test('two students raise their hands, see their places, and the instructor helps the first one', async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    for (const [user, text] of [
      [friend, 'My disk is full'],
      [student, ''],
    ] as const) {
      await user.page.mouse.move(600, 2);
      await button(user, 'Raise hand').click();
      const field = user.page.getByLabel('What is it about?');
      await field.fill(text);
      await field.press('Enter');
      await user.page.getByText('Your hand is raised.').first().waitFor();
    }
    await student.page.getByText('1 other is before you.').waitFor();
    await friend.page.getByText('You are next.').waitFor();
    await seatOf(instructor, 'Sam Student').getByText('Asks for help').waitFor();
    const first = instructor.page.locator('.seat').first();
    await first.getByText('Fay Friend').waitFor();
    await first.getByText('My disk is full').waitFor();
    await takePicture(instructor, 'instructor-with-raised-hands');
    await button(instructor, 'Done with Fay Friend').click();
    await student.page.getByText('You are next.').waitFor();
    await friend.page.getByText('Your hand is raised.').waitFor({ state: 'detached' });
    await student.page.mouse.move(600, 2);
    await button(student, 'Your hand is raised').click();
    await button(student, 'Lower hand').click();
    await seatOf(instructor, 'Sam Student').getByText('Asks for help').waitFor({ state: 'detached' });
  });

  test("one click shows a student's screen to the others, also after the loss of a relay, until it is stopped", async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    await button(instructor, 'Show to class: Fay Friend').click();
    const shown = student.page.getByRole('region', { name: 'Ina Instructor shows Fay Friend' });
    const picture = shown.locator('[data-open=true] canvas').first();
    await picture.waitFor();
    await friend.page.getByText('Ina Instructor shows your screen to the class.').first().waitFor();
    await instructor.page.getByText('to all members.').waitFor();
    await takePicture(student, 'student-sees-another-screen');
    await takePicture(friend, 'student-whose-screen-is-shown');
    await takePicture(instructor, 'instructor-shows-a-screen');
    // The student still types on the own machine.
    await student.page.locator('#screen canvas').focus();
    const before = [scene.one.keys(), friendsMachine.keys()];
    await student.page.keyboard.type('s');
    await eventually('the key arrives', () => scene.one.keys() === `${before[0]}s`);
    expect(friendsMachine.keys()).toBe(before[1]);
    await scene.stack.rollRelay();
    await eventually('the pages reconnect', () => student.sockets() >= 4);
    await picture.waitFor();
    await button(instructor, 'Stop showing').first().click();
    await shown.waitFor({ state: 'detached' });
    await friend.page.locator('.shown-mine').waitFor({ state: 'detached' });
    const status = await student.page.evaluate(async () => {
      const answer = await fetch('/api/v1/consoles/school/102/grants', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"mode":"view","follow":"class"}',
      });
      return answer.status;
    });
    expect(status).toBe(404);
  });

  test('all machines start at one click, and the class ends after a notice that can be withdrawn', async () => {
    const { student, friend } = await openBoth();
    const instructor = await openClass();
    await seatOf(instructor, 'friend-two').getByText('Off', { exact: true }).waitFor();
    await button(instructor, 'Start all machines').click();
    await instructor.page.getByText('1 of 1 machine started.').waitFor();
    await seatOf(instructor, 'friend-two').getByText('On, no console').waitFor();
    await button(instructor, 'End class').click();
    await instructor.page.getByRole('dialog').getByRole('button', { name: 'End class' }).click();
    for (const user of [student, friend]) await user.page.getByText('The class ends soon.').first().waitFor();
    await takePicture(student, 'student-before-the-end');
    await button(instructor, 'Keep the class open').click();
    await student.page.locator('.notice').waitFor({ state: 'detached' });
    // Without a notice, so that the test need not wait for a minute.
    const status = await instructor.page.evaluate(async () => {
      const answer = await fetch('/api/v1/classes/class-a/actions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"action":"end","seconds":0}',
      });
      return answer.status;
    });
    expect(status).toBe(204);
    for (const user of [student, friend]) {
      await user.closedWith(4423);
      await user.hasHeading('Ended by Ina Instructor.');
    }
  });

  test('a student sees no page of the class, and can do nothing for it', async () => {
    const { page } = scene.student;
    await scene.student.visitMachines();
    expect(await page.getByRole('link', { name: 'Classes' }).count()).toBe(0);
    const status = await page.evaluate(async () => {
      const answer = await fetch('/api/v1/classes/class-a/actions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"action":"pause"}',
      });
      return answer.status;
    });
    expect(status).toBe(403);
  });
});
