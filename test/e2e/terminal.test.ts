import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import type { BrowserUser } from './browser-user.ts';
import { openAgain, showsEnd, showsError, useBrowser } from './scene.ts';
import { openBrowserUser } from './browser-user.ts';
import { startStack, type Stack } from './stack.ts';

const prompt = 'root@student-box:~# ';

describeWith('chromium')('a terminal in the browser', () => {
  const browser = useBrowser();
  let stack: Stack;
  let student: BrowserUser;
  beforeAll(async () => {
    stack = await startStack({
      machines: [
        { vmid: 200, node: 'pve2', type: 'lxc', name: 'student-box' },
        { vmid: 300, node: 'pve1', type: 'qemu', name: 'student-noserial' },
      ],
      separate: true,
      deadlines: { terminalAnswer: 1000 },
    });
  });
  beforeEach(async () => {
    student = await openBrowserUser(browser(), stack.origin);
    await student.signIn('student');
  });
  afterEach(async () => {
    await student.close();
    expect(student.faults).toEqual([]);
    await eventually('all consoles are closed', () => stack.proxmox.openConsoles() === 0);
    expect(stack.proxmox.violations).toEqual([]);
  });
  afterAll(() => stack.stop());

  const visit = (vmid: number, query = '?kind=terminal') =>
    student.page.goto(`${stack.origin}/console/lab/${vmid}${query}`);
  /** The lines on the screen without trailing blanks. */
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
    await student.waitForState('open');
    await shows(prompt.trim());
  }
  /** The colours in which a word is shown. */
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

  test('opens from the list, accepts input and shows output', async () => {
    await student.visitMachines();
    await student.page.getByRole('button', { name: 'More for student-box' }).click();
    await student.page.getByRole('menuitem', { name: 'Terminal' }).click();
    await student.waitForState('open');
    await shows(prompt.trim());
    await student.page.keyboard.type('echo grün\n');
    await shows('grün');
  });

  test('fits the window, and follows changes of the window and the text size', async () => {
    await open();
    await student.page.keyboard.type('stty size\n');
    await shows(/^\d+ \d+$/);
    const before = await size();
    await student.page.setViewportSize({ width: 800, height: 500 });
    await eventually('the terminal is smaller', async () => {
      const now = await size();
      return now !== undefined && now !== before;
    });
    const smaller = await size();
    await student.page.getByRole('button', { name: 'Larger text' }).click();
    await eventually('larger text means fewer columns', async () => {
      const now = await size();
      return now !== undefined && now !== smaller;
    });
    const [rows = 0, columns = 0] = (await size())?.split(' ').map(Number) ?? [];
    expect(columns).toBeLessThan(100);
    expect(rows).toBeLessThan(30);
  });

  test('pastes text from the clipboard panel', async () => {
    await open();
    await student.page.getByRole('button', { name: 'Clipboard' }).click();
    await student.page.getByLabel('To the machine').fill('echo pasted');
    await student.page.getByRole('button', { name: 'Paste', exact: true }).click();
    await student.page.keyboard.press('Escape');
    await student.page.keyboard.type('\n');
    await shows('pasted');
  });

  test('shows the colours of programs without violating the content security policy', async () => {
    await open();
    await student.page.keyboard.type('colours\n');
    await shows('true green');
    expect(await colourOf('true')).toEqual(['rgb(255, 120, 0)']);
    expect(await colourOf('green')).toHaveLength(1);
  });

  test('drops input in view mode', async () => {
    await open('?kind=terminal&mode=view');
    await student.page.getByText('View only').first().waitFor();
    await student.page.locator('#screen').click();
    await student.page.keyboard.type('echo no\n');
    expect(await student.page.locator('#screen textarea').count()).toBe(1);
    expect((await screen()).filter((line) => line !== '')).toEqual([prompt.trim()]);
  });

  test('keeps its text and reconnects when its relay is replaced', async () => {
    await open();
    await student.page.keyboard.type('echo before\n');
    await shows('before');
    await stack.rollRelay();
    await student.closedWith(1012);
    await eventually('the page has reconnected', () => student.sockets() === 2);
    await student.waitForState('open');
    await student.page.locator('body[data-interruption=none]').waitFor();
    await student.page.keyboard.type('echo after\n');
    await shows('after');
  });

  test('pastes 64 KiB completely into a container, whose console takes only a part at once', async () => {
    await open();
    const line = (index: number) => `echo line ${String(index).padStart(6, '0')}\n`;
    const text = Array.from({ length: 4096 }, (_, index) => line(index)).join('');
    await student.page.locator('#screen textarea').evaluate((element, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', pasted);
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }, text);
    await shows('line 004095');
    await student.page.keyboard.type('echo still there\n');
    await shows('still there');
  });

  test('says that the terminal does not answer, and stops saying so when it is open again', async () => {
    await open();
    stack.proxmox.stopDtach(200);
    await student.page.keyboard.type('\n');
    const hint = student.page.getByText('The terminal does not answer.');
    await hint.waitFor();
    stack.proxmox.killDtach(200);
    await showsError(student, 'terminal_ended');
    await hint.waitFor({ state: 'detached' });
    await openAgain(student);
    await shows(prompt.trim());
    expect(await hint.count()).toBe(0);
  });

  test('1000: offers to open the terminal again after its program has ended', async () => {
    await open();
    await student.page.keyboard.type('exit\n');
    await showsError(student, 'terminal_ended');
    await showsEnd(student, { canReopen: true });
    await openAgain(student);
    await student.waitForState('open');
    await student.page.keyboard.type('echo anew\n');
    await shows('anew');
    expect(student.sockets()).toBe(2);
  });

  test('says that a machine has no serial port', async () => {
    await visit(300);
    await student.waitForState('ended');
    await student.page.getByText('no serial port').first().waitFor();
  });

  test('pages of screens do not load xterm.js, and pages of terminals do not load noVNC', async () => {
    const loaded: string[] = [];
    student.page.on('response', (response) => loaded.push(new URL(response.url()).pathname));
    await student.page.goto(`${stack.origin}/console/lab/300`);
    await eventually('noVNC is loaded', () => loaded.some((path) => path.includes('/rfb-')));
    expect(loaded.filter((path) => path.includes('xterm'))).toEqual([]);
    // What the page still asks for must not count for the next one.
    await student.page.waitForLoadState('networkidle');
    loaded.length = 0;
    await open();
    expect(loaded.some((path) => path.includes('xterm'))).toBe(true);
    expect(loaded.filter((path) => path.includes('/rfb-'))).toEqual([]);
  });
});
