import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import { createQemuGuest } from '../fakes/guests/qemu.ts';
import { bars, typing } from '../fakes/guests/test-card.ts';
import { createXvncGuest } from '../fakes/guests/xvnc.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, type BrowserUser } from './browser-user.ts';
import { colourAt, likeness } from './pictures.ts';
import { startStack, type Stack } from './stack.ts';

let browser: Browser;
let stack: Stack;
let people: BrowserUser[] = [];

async function signInAs(name: 'student' | 'instructor'): Promise<BrowserUser> {
  const person = await openBrowserUser(browser, stack.origin);
  people.push(person);
  await person.signIn(name);
  return person;
}

/** Tolerates the blinking text cursor, but not a single typed letter. */
const same = 0.9999;

/** Repeats the comparison, because two pictures are never taken at the same moment. */
const shows = (person: BrowserUser, truth: () => Promise<Picture>) =>
  eventually('the page shows what the machine shows', async () => {
    return likeness(await person.picture(), await truth()) >= same;
  });

/** Whether a text screen shows a character at a place, above the lines of the blinking cursor. */
function cellIsWritten(picture: Picture, row: number, column: number): boolean {
  const [left, top] = [column * 9, row * 16];
  for (let y = top; y < top + 13; y++)
    for (let x = left; x < left + 9; x++) if (colourAt(picture, x, y) > 0) return true;
  return false;
}

async function allLeave(): Promise<void> {
  const faults = people.flatMap((person) => person.faults);
  for (const person of people.splice(0)) await person.close();
  expect(faults).toEqual([]);
}

describeWith('chromium', 'qemu')('a console on real QEMU', () => {
  const guest = createQemuGuest({ name: 'student-vm' });
  beforeAll(async () => {
    browser = await startBrowser();
    stack = await startStack({ machines: [{ vmid: 100, node: 'pve1', name: 'student-vm', guest }] });
    await guest.booted();
  }, 60_000);
  afterEach(allLeave);
  afterAll(async () => {
    await browser.stop();
    await stack.stop();
  });

  /** Restarts the machine. The typed text tells the new screen from the old one. */
  async function restart(person: BrowserUser): Promise<void> {
    const marked = async () => cellIsWritten(await guest.screendump(), 4, 2);
    await person.type('x');
    await eventually('the screen is marked', marked);
    await guest.reset();
    await eventually('the mark is gone', async () => !(await marked()));
    await guest.booted();
  }

  test('shows the same pixels as QEMU, and typed text appears', async () => {
    const student = await signInAs('student');
    await student.openConsole(100);
    await shows(student, guest.screendump);
    const before = await guest.screendump();
    await student.type('porthole was here');
    await eventually('QEMU shows it', async () => likeness(await guest.screendump(), before) < 0.9995);
    await shows(student, guest.screendump);
    expect(likeness(await student.picture(), before)).toBeLessThan(same);
  });

  test('two users see the same machine, and only the one with control can type', async () => {
    const student = await signInAs('student');
    const instructor = await signInAs('instructor');
    const typedByStudent = async () => {
      await student.type('hello');
      await eventually('the last letter is there', async () => cellIsWritten(await guest.screendump(), 4, 6));
    };
    await student.openConsole(100);
    await restart(student);
    await typedByStudent();
    // The screen after only the student has typed.
    const alone = await guest.screendump();
    await shows(student, async () => alone);

    await instructor.openConsole(100, 'view');
    await instructor.page.getByText('View only', { exact: true }).waitFor();
    await restart(student);
    await instructor.page.keyboard.type('not this');
    await instructor.canvas().click();
    await instructor.page.keyboard.type('nor this');
    await typedByStudent();
    for (const person of [student, instructor]) await shows(person, async () => alone);
    expect(likeness(await guest.screendump(), alone)).toBeGreaterThan(same);
    // They share the console.
    expect(stack.proxmox.openConsoles(100)).toBe(1);
    expect(await student.page.getByText('View only', { exact: true }).count()).toBe(0);
  });

  test('stays on the same connection when the machine reboots', async () => {
    const student = await signInAs('student');
    await student.openConsole(100);
    await restart(student);
    await shows(student, guest.screendump);
    await student.type('again');
    await eventually('keys arrive', async () => cellIsWritten(await guest.screendump(), 4, 6));
    expect(student.sockets()).toBe(1);
    await student.waitForState('open');
  });

  test('says that the machine is off, and reopens when it starts', async () => {
    const student = await signInAs('student');
    await student.openConsole(100);
    await guest.stop();
    await student.waitForState('machine-off');
    await student.closedWith(1000);
    await student.hasHeading('The machine is off.');
    await guest.start();
    await guest.booted();
    await student.waitForState('open');
    await shows(student, guest.screendump);
    expect(stack.proxmox.violations).toEqual([]);
  }, 60_000);
});

describeWith('chromium', 'xvnc')("a console on TigerVNC's Xvnc", () => {
  const guest = createXvncGuest({ name: 'student-x' });
  beforeAll(async () => {
    browser = await startBrowser();
    stack = await startStack({ machines: [{ vmid: 200, node: 'pve2', name: 'student-x', guest }] });
  }, 60_000);
  afterEach(allLeave);
  afterAll(async () => {
    await browser.stop();
    await stack.stop();
  });

  test('shows the test card in its colours, and a mark for each key', async () => {
    const student = await signInAs('student');
    await student.openConsole(200);
    await eventually('all bars are there in full', async () => {
      const picture = await student.picture();
      return bars.every(({ x, y, width, height, color }) =>
        [
          [x, y],
          [x + width - 1, y + height - 1],
          [x + width / 2, y + height / 2],
        ].every(([px = 0, py = 0]) => colourAt(picture, px, py) === color),
      );
    });
    const cell = async (place: number) =>
      colourAt(await student.picture(), typing.x + place * typing.cellWidth, typing.y);
    const blank = await cell(0);
    await student.type('abc');
    await eventually('three keys appear', async () => (await cell(2)) === 0x2dd4bf);
    expect(await cell(3)).toBe(blank);
    await guest.reset();
    await eventually('they are wiped', async () => (await cell(0)) === blank);
    expect(student.sockets()).toBe(1);
    expect(stack.proxmox.violations).toEqual([]);
  });
});
