import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import { createQemuGuest } from '../fakes/guests/qemu.ts';
import { bars, typing } from '../fakes/guests/test-card.ts';
import { createXvncGuest } from '../fakes/guests/xvnc.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { describeWith } from '../needs.ts';
import { aPerson, type Person } from './person.ts';
import { colourAt, likeness } from './pictures.ts';
import { startStack, type Stack } from './stack.ts';

let browser: Browser;
let stack: Stack;
let people: Person[] = [];

async function somebody(name: 'student' | 'instructor'): Promise<Person> {
  const person = await aPerson(browser, stack.origin);
  people.push(person);
  await person.signIn(name);
  return person;
}

/** Equal but for a blinking text cursor. A single typed letter is more. */
const same = 0.9999;

/** Tries again until it is so: two pictures are never taken at the same moment. */
const shows = (person: Person, truth: () => Promise<Picture>) =>
  eventually('the page shows what the machine shows', async () => {
    return likeness(await person.picture(), await truth()) >= same;
  });

/** Whether a letter is in that place of a screen of text, above the lines in which the cursor blinks. */
function cellIsWritten(picture: Picture, row: number, column: number): boolean {
  const [left, top] = [column * 9, row * 16];
  for (let y = top; y < top + 13; y++)
    for (let x = left; x < left + 9; x++) if (colourAt(picture, x, y) > 0) return true;
  return false;
}

async function allLeave(): Promise<void> {
  const faults = people.flatMap((person) => person.faults);
  for (const person of people.splice(0)) await person.leave();
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

  /** Starts the machine anew; what was typed before tells the new screen from the old one. */
  async function restart(person: Person): Promise<void> {
    const marked = async () => cellIsWritten(await guest.screendump(), 4, 2);
    await person.type('x');
    await eventually('the screen is marked', marked);
    await guest.reset();
    await eventually('the mark is gone', async () => !(await marked()));
    await guest.booted();
  }

  test('shows, pixel by pixel, what QEMU says that it shows, and what is typed appears', async () => {
    const student = await somebody('student');
    await student.openConsole(100);
    await shows(student, guest.screendump);
    const before = await guest.screendump();
    await student.type('porthole was here');
    await eventually('QEMU shows it', async () => likeness(await guest.screendump(), before) < 0.9995);
    await shows(student, guest.screendump);
    expect(likeness(await student.picture(), before)).toBeLessThan(same);
  });

  test('two people see one machine; only the one in control can type', async () => {
    const student = await somebody('student');
    const instructor = await somebody('instructor');
    const typedByStudent = async () => {
      await student.type('hello');
      await eventually('the last letter is there', async () => cellIsWritten(await guest.screendump(), 4, 6));
    };
    await student.openConsole(100);
    await restart(student);
    await typedByStudent();
    // What the screen looks like when the student alone has typed.
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
    expect(stack.proxmox.openConsoles(100)).toBe(2);
    expect(await student.page.getByText('View only', { exact: true }).count()).toBe(0);
  });

  test('a reboot is survived on the same connection', async () => {
    const student = await somebody('student');
    await student.openConsole(100);
    await restart(student);
    await shows(student, guest.screendump);
    await student.type('again');
    await eventually('keys arrive', async () => cellIsWritten(await guest.screendump(), 4, 6));
    expect(student.sockets()).toBe(1);
    await student.reaches('open');
  });

  test('a machine that is switched off says so, and comes back by itself', async () => {
    const student = await somebody('student');
    await student.openConsole(100);
    await guest.stop();
    await student.reaches('machine-off');
    await student.closedWith(1000);
    await student.reads('The machine is off.');
    await guest.start();
    await guest.booted();
    await student.reaches('open');
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

  test('shows its test card in its colours, and a mark for each key', async () => {
    const student = await somebody('student');
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
