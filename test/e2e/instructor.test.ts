import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack.ts';

/** A class with its instructor, from click to machine: nothing between them is played. */
describeWith('chromium')('an instructor and a student', () => {
  const browser = useBrowser();
  const scene = useScene(browser, {
    rules: {
      classes: [
        {
          name: 'class-a',
          title: 'Class A',
          members: { groups: ['class-a'] },
          instructors: { groups: ['instructors'] },
          machines: { names: ['student-*'] },
          own: ['{user}-*'],
          allow: ['control', 'power'],
        },
      ],
    },
    proxmox: {
      powerMs: 500,
      users: [
        {
          userid: proxmoxAccount.userid,
          password: proxmoxAccount.password,
          acl: { '/': [...everythingAllowed['/'], 'VM.PowerMgmt'] },
        },
      ],
    },
  });

  test('the instructor sees who works, looks on, takes over, and ends; the student reads each of it', async () => {
    const { student } = scene;
    await student.openConsole(100);
    const instructor = await scene.somebody('instructor');
    const { page } = instructor;
    await page.getByRole('link', { name: 'Live consoles' }).click();
    await page.getByRole('button', { name: 'Class A', exact: true }).click();
    const row = page.locator('.session').filter({ hasText: 'Sam Student' });
    await row.getByText('student-one').waitFor();

    const look = page.waitForEvent('popup');
    await row.getByRole('link', { name: /^Watch/ }).click();
    const watching = await look;
    await watching.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await student.page.getByText('Ina Instructor is watching').waitFor();
    await row.getByText('Ina Instructor is watching').waitFor();
    await watching.close();
    await student.page.getByText('Ina Instructor is watching').waitFor({ state: 'detached' });

    const take = page.waitForEvent('popup');
    await row.getByRole('link', { name: /^Take over/ }).click();
    const taken = await take;
    await taken.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await taken.locator('#screen canvas').focus();
    await taken.keyboard.type('help');
    await eventually('the machine hears the instructor', () => scene.one.keys().includes('help'));
    await taken.close();

    await row.getByRole('button', { name: /^End/ }).click();
    await page.getByRole('button', { name: 'End console' }).click();
    await student.closedWith(4423);
    await student.reads('Ended by Ina Instructor.');
    await row.waitFor({ state: 'detached' });
  });

  test('a student finds nothing of that', async () => {
    const { page } = scene.student;
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(await page.getByRole('link', { name: 'Live consoles' }).count()).toBe(0);
  });

  test('a student whose machine is off starts it where its console waits', async () => {
    const { student, two } = scene;
    await two.stop();
    await student.visitConsole(101);
    await student.reaches('machine-off');
    await student.page.getByRole('button', { name: 'Start machine' }).click();
    await student.page.getByText('The machine is starting.').waitFor();
    await student.reaches('open');
    expect(two.running).toBe(true);
  });

  test('a student whose machine hangs stops it, and is told that it is off', async () => {
    const { student, two } = scene;
    await student.openConsole(101);
    await student.page.getByRole('button', { name: 'Power' }).click();
    await student.page.getByRole('button', { name: /^Stop/ }).click();
    await student.page.getByRole('button', { name: 'Stop', exact: true }).click();
    await student.reaches('machine-off');
    expect(two.running).toBe(false);
    await two.start();
    await student.reaches('open');
  });
});
