import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { Person } from './person.ts';
import { useBrowser } from './scene.ts';
import { aPerson } from './person.ts';
import { startStack, type Stack } from './stack.ts';

const prompt = 'root@student-box:~# ';

describeWith('chromium')('a terminal in the browser', () => {
  const browser = useBrowser();
  let stack: Stack;
  let student: Person;
  beforeAll(async () => {
    stack = await startStack({
      machines: [
        { vmid: 200, node: 'pve2', type: 'lxc', name: 'student-box' },
        { vmid: 300, node: 'pve1', type: 'qemu', name: 'student-noserial' },
      ],
      apart: true,
    });
  });
  beforeEach(async () => {
    student = await aPerson(browser(), stack.origin);
    await student.signIn('student');
  });
  afterEach(async () => {
    await student.leave();
    expect(student.faults).toEqual([]);
    await eventually('no console stays behind', () => stack.proxmox.openConsoles() === 0);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(() => stack.stop());

  const visit = (vmid: number, query = '?kind=terminal') =>
    student.page.goto(`${stack.origin}/console/lab/${vmid}${query}`);
  /** What stands on the screen, line by line, without the blanks behind it. */
  const screen = async () => {
    const rows = await student.page.locator('#screen .xterm-rows > div').allTextContents();
    return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd());
  };
  const shows = (line: string | RegExp) =>
    eventually(`it shows ${String(line)}`, async () =>
      (await screen()).some((row) => (typeof line === 'string' ? row === line : line.test(row))),
    );
  async function open(query?: string): Promise<void> {
    await visit(200, query);
    await student.reaches('open');
    await shows(prompt.trim());
  }
  /** The colour in which a word is shown. */
  const colourOf = (word: string) =>
    student.page.evaluate(
      (text) =>
        [...document.querySelectorAll('#screen .xterm-rows span')]
          .filter(({ textContent }) => textContent === text)
          .map((span) => getComputedStyle(span).color),
      word,
    );
  const size = async () => {
    await student.page.keyboard.type('stty size\n');
    const lines = await screen();
    const sizes = lines.filter((line) => /^\d+ \d+$/.test(line));
    return sizes.at(-1);
  };

  test('opens from the list, takes what is typed, and shows what comes', async () => {
    await student.page.getByRole('button', { name: 'More for student-box' }).click();
    await student.page.getByRole('menuitem', { name: 'Terminal' }).click();
    await student.reaches('open');
    await shows(prompt.trim());
    await student.page.keyboard.type('echo grün\n');
    await shows('grün');
  });

  test('is as large as the window, and follows it and its letters', async () => {
    await open();
    await student.page.keyboard.type('stty size\n');
    await shows(/^\d+ \d+$/);
    const before = await size();
    await student.page.setViewportSize({ width: 800, height: 500 });
    await eventually('it is smaller', async () => {
      const now = await size();
      return now !== undefined && now !== before;
    });
    const smaller = await size();
    await student.page.getByRole('button', { name: 'Larger letters' }).click();
    await eventually('larger letters are fewer', async () => {
      const now = await size();
      return now !== undefined && now !== smaller;
    });
    const [rows = 0, columns = 0] = (await size())?.split(' ').map(Number) ?? [];
    expect(columns).toBeLessThan(100);
    expect(rows).toBeLessThan(30);
  });

  test('paste reaches the machine from the panel', async () => {
    await open();
    await student.page.getByRole('button', { name: 'Clipboard' }).click();
    await student.page.getByLabel('To the machine').fill('echo pasted');
    await student.page.getByRole('button', { name: 'Paste', exact: true }).click();
    await student.page.keyboard.press('Escape');
    await student.page.keyboard.type('\n');
    await shows('pasted');
  });

  test('shows the colours that programs ask for, without a style that the pages must not have', async () => {
    await open();
    await student.page.keyboard.type('colours\n');
    await shows('true green');
    expect(await colourOf('true')).toEqual(['rgb(255, 120, 0)']);
    expect(await colourOf('green')).toHaveLength(1);
  });

  test('drops what somebody types who may only look', async () => {
    await open('?kind=terminal&mode=view');
    await student.page.getByText('View only').first().waitFor();
    await student.page.locator('#screen').click();
    await student.page.keyboard.type('echo no\n');
    // Not even what the page would never send gets through.
    expect(await student.page.locator('#screen textarea').count()).toBe(1);
    expect((await screen()).filter((line) => line !== '')).toEqual([prompt.trim()]);
  });

  test('keeps its text and goes on when its relay leaves', async () => {
    await open();
    await student.page.keyboard.type('echo before\n');
    await shows('before');
    await stack.rollRelay();
    await student.closedWith(1012);
    await eventually('it is open again', () => student.sockets() === 2);
    await student.reaches('open');
    await student.page.locator('body[data-quiet=false]').waitFor();
    await student.page.keyboard.type('echo after\n');
    await shows('after');
  });

  test('says that a machine without a serial port has none', async () => {
    await visit(300);
    await student.reaches('ended');
    await student.page.getByText('no serial port').first().waitFor();
  });

  test('is loaded by nobody who opens a screen, nor a screen by who opens a terminal', async () => {
    const loaded: string[] = [];
    student.page.on('response', (response) => loaded.push(new URL(response.url()).pathname));
    await student.page.goto(`${stack.origin}/console/lab/300`);
    await eventually('noVNC is loaded', () => loaded.some((path) => path.includes('/rfb-')));
    expect(loaded.filter((path) => path.includes('xterm'))).toEqual([]);
    loaded.length = 0;
    await open();
    expect(loaded.some((path) => path.includes('xterm'))).toBe(true);
    expect(loaded.filter((path) => path.includes('/rfb-'))).toEqual([]);
  });
});
