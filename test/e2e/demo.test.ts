import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
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
  ['the demo command', [], ''],
  ['the demo command with the delays of a real Proxmox', ['--proxmox', 'real-life'], ''],
  ['the demo command below a base path', ['--base-path', '/consoles'], '/consoles'],
] as const)('%s', (_what, flags, basePath) => {
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
