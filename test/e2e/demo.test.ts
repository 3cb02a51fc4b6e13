import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { takePicture } from '../take-picture.ts';
import { openBrowserUser, signInHere } from './browser-user.ts';
import { useBrowser } from './scene.ts';

const folder = fileURLToPath(new URL('../..', import.meta.url));

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

describeWith('chromium').each([
  ['the demo command', [], '', true],
  ['the demo command with the delays of a real Proxmox', ['--proxmox', 'real-life'], '', false],
  ['the demo command below a base path', ['--base-path', '/consoles'], '/consoles', false],
] as const)('%s', (_what, flags, basePath, playRecordings) => {
  const browser = useBrowser();
  let demo: ChildProcess | undefined;
  let output = '';
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    demo = spawn(process.execPath, ['--conditions=source', 'test/demo/main.ts', ...flags], {
      cwd: folder,
      env: { ...process.env, PORT: String(port), NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [demo.stdout, demo.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually('the demo prints its address', () =>
      output.includes(`http://localhost:${port}${basePath}\n`),
    );
  });
  afterAll(() => void demo?.kill('SIGKILL'));

  const recordedConsoles = async () => {
    const origin = `http://127.0.0.1:${port}`;
    const student = await openBrowserUser(browser(), origin);
    await student.page.goto(origin);
    await signInHere(student, 'student', 'porthole');
    await student.page.getByRole('link', { name: 'student-exam' }).click();
    await student.page.getByRole('heading', { name: 'This console is recorded.' }).waitFor();
    await student.page.getByRole('button', { name: 'Agree and open' }).click();
    await student.waitForState('open');
    await student.page.getByText('This console is recorded', { exact: true }).first().waitFor();
    await takePicture(student, 'demo-exam-of-student');
    await student.close();

    await eventually('the demo says that the exam is recorded', () =>
      output.includes('2 recordings of Mira Novak are ready to play.'),
    );
    const instructor = await openBrowserUser(browser(), origin);
    const { page } = instructor;
    await page.goto(origin);
    await signInHere(instructor, 'instructor', 'porthole');
    await page.getByRole('link', { name: 'Recordings' }).click();
    const recordingOf = (machine: string) =>
      page.getByRole('link', { name: `Open the recording of Mira Novak on ${machine}`, exact: true });
    await recordingOf('mira-exam-box').waitFor();
    await takePicture(instructor, 'demo-recordings');
    const rows = await page.locator('[data-recording]', { hasText: 'Mira Novak' }).allInnerTexts();
    expect(rows).toHaveLength(2);
    expect(rows.join()).not.toMatch(/in progress|no end|damaged/);

    await recordingOf('mira-exam').click();
    await eventually('the player shows the lighthouse that the command "about" has drawn', async () => {
      await page.getByRole('slider', { name: 'Time' }).press('End');
      return page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.player-target canvas');
        const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let warm = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at] === 0xf2 && data[at + 1] === 0xcc && data[at + 2] === 0x60) warm++;
        return warm > 200;
      });
    });
    await takePicture(instructor, 'demo-recording-of-screen');
    await page.goBack();
    await recordingOf('mira-exam-box').click();
    await eventually('the player shows what the terminal has printed', async () => {
      await page.getByRole('slider', { name: 'Time' }).press('End');
      return (await page.locator('.player-target').innerText()).includes('root@mira-exam-box');
    });
    await takePicture(instructor, 'demo-recording-of-terminal');
    await instructor.close();
  };
  if (playRecordings)
    test('records the exam of a student who agreed, and the instructor plays that of another one', async () => {
      await recordedConsoles();
    });

  test("shows a machine's screen and ends on Ctrl-C", async () => {
    const person = await openBrowserUser(browser(), `http://127.0.0.1:${port}${basePath}`);
    const { page } = person;
    await page.goto(`http://127.0.0.1:${port}${basePath}`);
    await signInHere(person, 'student', 'porthole');
    await page.getByRole('link', { name: 'student-desktop' }).click();
    await person.waitForState('open');
    const { width, height, data } = await person.picture();
    expect([width, height]).toEqual([800, 600]);
    expect(data.some((colour) => colour > 0)).toBe(true);
    // A second tab shares the console.
    const second = await person.anotherTab();
    await second.page.goto(page.url());
    await second.waitForState('open');
    await eventually('the first tab has moved to the shared console', () => person.sockets() === 2);
    await eventually('the demo says how many consoles there are', () =>
      output.includes('Machine 101: 1 console at Proxmox'),
    );
    expect(output).not.toMatch(/Machine 101: 2 consoles/);
    await second.close();
    await page.bringToFront();
    expect(output).not.toMatch(/warn|error/i);

    const began = Date.now();
    const ended = once(demo as ChildProcess, 'exit');
    demo?.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(Date.now() - began).toBeLessThan(8000);
    expect(await listens(port)).toBe(false);
    // The page reconnects at once, so it can meet a relay that drains, closes or is gone.
    const unreachable =
      /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|503/;
    expect(person.faults.filter((fault) => !unreachable.test(fault))).toEqual([]);
    await person.close();
  });
});
