import { eventually } from '../eventually.ts';
import { openBrowserUser, signInHere, type BrowserUser } from './browser-user.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';
import { password } from './stack-config.ts';

/** Presses the key until the focused element has that label. */
async function pressUntil({ page }: BrowserUser, key: string, label: RegExp): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    const focused = await page.evaluate(() => {
      const { activeElement: at } = document;
      return at?.getAttribute('aria-label') ?? at?.textContent ?? '';
    });
    if (label.test(focused)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} never reaches ${String(label)}.`);
}

describeWith('chromium')('without a mouse', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { separate: false });

  test('a user can sign in, find a machine, open its console, type, and leave', async () => {
    const { one, stack } = scene;
    const person = await openBrowserUser(browser(), stack.origin);
    const { page } = person;
    const { keyboard } = page;
    await page.goto(stack.origin);
    // The heading appears before the sign-in methods are known.
    await page.locator('#username:focus').waitFor();
    await keyboard.type('student');
    await keyboard.press('Tab');
    await keyboard.type(password);
    await keyboard.press('Enter');
    await page.getByRole('link', { name: 'student-one' }).waitFor();

    await keyboard.press('/');
    await keyboard.type('one');
    await page.getByRole('link', { name: 'student-two' }).waitFor({ state: 'detached' });
    await pressUntil(person, 'Tab', /^More for student-one$/);
    await keyboard.press('ArrowDown');
    await page.getByRole('menu').waitFor();
    await pressUntil(person, 'ArrowDown', /^Open console$/);
    await keyboard.press('Enter');

    await person.waitForState('open');
    await eventually('the machine shows its prompt', () => one.text().some((row) => row.includes(':~$')));
    // The machine gets every key, even Tab.
    await keyboard.type('hi');
    await keyboard.press('Tab');
    await eventually('the keys arrive', () => one.keys().endsWith('hi\t'));

    // The key combination that leads to the toolbar.
    await keyboard.down('Control');
    await keyboard.down('Alt');
    await keyboard.down('Shift');
    await keyboard.up('Shift');
    await keyboard.up('Alt');
    await keyboard.up('Control');
    await pressUntil(person, 'ArrowRight', /^Send Ctrl-Alt-Del$/);
    await keyboard.press('Enter');
    await eventually('the machine restarts', () => !one.text().some((row) => row.includes('hi')));
    await keyboard.down('Control');
    await keyboard.down('Alt');
    await keyboard.down('Shift');
    await keyboard.up('Shift');
    await keyboard.up('Alt');
    await keyboard.up('Control');
    await pressUntil(person, 'ArrowRight', /^Back to your machines$/);
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your machines' }).waitFor();
    expect(person.faults).toEqual([]);
    await person.close();
  });
});

describeWith('chromium')('on a phone', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { separate: false });

  test('pages fit the screen, and the on-screen keyboard types into the machine', async () => {
    const { one, stack } = scene;
    const person = await openBrowserUser(browser(), stack.origin, {
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    const { page } = person;
    const fits = () =>
      page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
    await page.goto(stack.origin);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await fits()).toBe(true);
    await signInHere(person);
    await page.locator('body[data-page=machines]').waitFor();
    expect(await fits()).toBe(true);
    await page.getByRole('link', { name: 'student-one' }).tap();
    await person.waitForState('open');
    expect(await fits()).toBe(true);
    const box = await person.canvas().boundingBox();
    expect(box).toMatchObject({ x: 0, width: 390 });

    await eventually('the machine shows its prompt', () => one.text().some((row) => row.includes(':~$')));
    await page.getByRole('button', { name: 'Keyboard', exact: true }).tap();
    await page.getByLabel('Text for the machine').pressSequentially('ls');
    await page.getByRole('button', { name: 'Enter', exact: true }).tap();
    await eventually('the keys arrive', () => one.keys().endsWith('ls\n'));
    expect(person.faults).toEqual([]);
    await person.close();
  });
});
