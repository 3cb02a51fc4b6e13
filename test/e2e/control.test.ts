import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { takePicture } from '../take-picture.ts';
import { accessibilityFaults } from '../web/axe.ts';
import type { BrowserUser } from './browser-user.ts';
import { useBrowser, useScene } from './scene.ts';

/** The large view of an instructor, and a student's console, with real services between the pages and the machines. */
describeWith('chromium')('an instructor who helps a student', () => {
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
        },
      ],
    },
    moreMachines: [{ vmid: 102, node: 'pve1', name: 'friend-one', guest: friendsMachine }],
  });

  async function openClass(): Promise<BrowserUser> {
    const { student } = scene;
    await student.openConsole(100);
    const instructor = await scene.signInAs('instructor');
    await instructor.visitMachines();
    await instructor.page.getByRole('link', { name: 'Classes' }).click();
    await instructor.page
      .locator('.seat')
      .filter({ hasText: 'Sam Student' })
      .getByText('Console open')
      .waitFor();
    return instructor;
  }
  const button = ({ page }: BrowserUser, name: string | RegExp) => page.getByRole('button', { name });
  const shows = ({ page }: BrowserUser, state: string) =>
    page.locator(`.large-view-stage[data-state=${state}]`).waitFor();
  const studentIsTold = (text: string | RegExp) => scene.student.page.getByText(text).first().waitFor();

  test('two clicks take control: the keys of the student do nothing, those of the instructor work, and one hands back', async () => {
    const { student } = scene;
    const instructor = await openClass();
    await student.type('a');
    await eventually('the key arrives', () => scene.one.keys().endsWith('a'));
    await button(instructor, 'Look at Sam Student').click();
    await shows(instructor, 'open');
    await studentIsTold('Ina Instructor is observing');
    await takePicture(instructor, 'large-view');
    const before = scene.one.keys();
    await instructor.page.keyboard.type('xyz');
    expect(await accessibilityFaults(instructor.page)).toEqual([]);
    await button(instructor, 'Take control').click();
    await instructor.page.getByText('You have control.').first().waitFor();
    await studentIsTold(/Ina Instructor has control/);
    await takePicture(instructor, 'large-view-with-control');
    await takePicture(student, 'student-without-control');
    expect(await accessibilityFaults(instructor.page)).toEqual([]);
    expect(await accessibilityFaults(student.page)).toEqual([]);
    await student.page.keyboard.type('bcd');
    await instructor.page.keyboard.type('i');
    await eventually('the key of the instructor arrives', () => scene.one.keys() === `${before}i`);
    await button(student, 'Ask for it back').click();
    await instructor.page.getByText('Sam Student asks for it back').waitFor();
    await button(instructor, 'Hand back').click();
    await studentIsTold('Ina Instructor is observing');
    await student.page.locator('.control-bar').waitFor({ state: 'detached' });
    await instructor.page.keyboard.type('j');
    await student.type('e');
    await eventually('the student types again', () => scene.one.keys() === `${before}ie`);
  });

  test('closing the large view hands control back, and returns to the seat', async () => {
    const { student } = scene;
    const instructor = await openClass();
    await button(instructor, 'Look at Sam Student').click();
    await shows(instructor, 'open');
    await button(instructor, 'Take control').click();
    await studentIsTold(/Ina Instructor has control/);
    await button(instructor, 'Close').click();
    await student.page.locator('.control-bar').waitFor({ state: 'detached' });
    expect(await instructor.page.getByRole('dialog').count()).toBe(0);
    expect(await instructor.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(
      /^Look at Sam Student/,
    );
  });

  test('everything works by keyboard: look, next seat, take control, type Escape and arrows, hand back, return', async () => {
    const { student } = scene;
    const instructor = await openClass();
    const { keyboard } = instructor.page;
    const title = (name: string) =>
      instructor.page.getByRole('dialog').getByRole('heading', { name }).waitFor();
    await button(instructor, 'Look at Sam Student').focus();
    await keyboard.press('Enter');
    await title('Sam Student');
    await shows(instructor, 'open');
    await keyboard.press('ArrowRight');
    await eventually(
      'another seat is shown',
      async () => !(await instructor.page.locator('#large-view-title').textContent())?.includes('Sam'),
    );
    for (let each = 0; each < 5; each++) {
      if ((await instructor.page.locator('#large-view-title').textContent())?.includes('Sam')) break;
      await keyboard.press('ArrowLeft');
    }
    await title('Sam Student');
    await shows(instructor, 'open');
    await button(instructor, 'Take control').focus();
    await keyboard.press('Enter');
    await studentIsTold(/Ina Instructor has control/);
    await instructor.page.locator('.large-view-stage[data-control=true]').waitFor();
    const before = scene.one.keys();
    await keyboard.press('Escape');
    await keyboard.press('ArrowRight');
    await keyboard.type('k');
    await eventually('the key arrives', () => scene.one.keys().length > before.length);
    await title('Sam Student');
    await keyboard.down('Control');
    await keyboard.down('Alt');
    await keyboard.down('Shift');
    await keyboard.up('Shift');
    await keyboard.up('Alt');
    await keyboard.up('Control');
    expect(await instructor.page.evaluate(() => document.activeElement?.textContent)).toBe('Hand back');
    await keyboard.press('Enter');
    await student.page.locator('.control-bar').waitFor({ state: 'detached' });
    await instructor.page.locator('.large-view-stage[data-control=false]').waitFor();
    await keyboard.press('Escape');
    await instructor.page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});
