import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';
import { everythingAllowed, proxmoxAccount } from './stack-config.ts';

/** A class with an instructor, with real services between the pages and the machines. */
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

  test('the instructor watches, takes over and ends a console, and the student is told each time', async () => {
    const { student } = scene;
    await student.openConsole(100);
    const instructor = await scene.signInAs('instructor');
    const { page } = instructor;
    await instructor.visitMachines();
    await page.getByRole('link', { name: 'Live consoles' }).click();
    await page.getByRole('button', { name: 'Class A', exact: true }).click();
    const row = page.locator('.session').filter({ hasText: 'Sam Student' });
    await row.getByText('student-one').waitFor();

    const observerOpens = page.waitForEvent('popup');
    await row.getByRole('link', { name: /^Observe/ }).click();
    const observerPage = await observerOpens;
    await observerPage.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await student.page.getByText('Ina Instructor is observing').waitFor();
    await row.getByText('Ina Instructor is observing').waitFor();
    await observerPage.close();
    await student.page.getByText('Ina Instructor is observing').waitFor({ state: 'detached' });

    const takeoverOpens = page.waitForEvent('popup');
    await row.getByRole('link', { name: /^Take over/ }).click();
    const takeoverPage = await takeoverOpens;
    await takeoverPage.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await takeoverPage.locator('#screen canvas').focus();
    await takeoverPage.keyboard.type('help');
    await eventually("the instructor's keys arrive", () => scene.one.keys().includes('help'));
    await takeoverPage.close();

    await row.getByRole('button', { name: /^End/ }).click();
    await page.getByRole('button', { name: 'End console' }).click();
    await student.closedWith(4423);
    await student.hasHeading('Ended by Ina Instructor.');
    await row.waitFor({ state: 'detached' });
  });

  test('a student does not see the page', async () => {
    const { page } = scene.student;
    await scene.student.visitMachines();
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(await page.getByRole('link', { name: 'Live consoles' }).count()).toBe(0);
  });

  test('a student starts a stopped machine from its console page', async () => {
    const { student, two } = scene;
    await two.stop();
    await student.visitConsole(101);
    await student.waitForState('machine-off');
    await student.page.getByRole('button', { name: 'Start machine' }).click();
    await student.page.getByText('The machine is starting.').waitFor();
    await student.waitForState('open');
    expect(two.running).toBe(true);
  });

  test('a student stops a machine that hangs, and the page says that it is off', async () => {
    const { student, two } = scene;
    await student.openConsole(101);
    await student.page.getByRole('button', { name: 'Power' }).click();
    await student.page.getByRole('button', { name: /^Stop/ }).click();
    await student.page.getByRole('button', { name: 'Stop', exact: true }).click();
    await student.waitForState('machine-off');
    expect(two.running).toBe(false);
    await two.start();
    await student.waitForState('open');
  });
});
