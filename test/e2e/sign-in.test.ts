import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { signInHere, type BrowserUser } from './browser-user.ts';
import { useBrowser, useScene } from './scene.ts';
import { password } from './stack-config.ts';

const signOut = async (user: BrowserUser) => {
  const { page } = user;
  await user.visitMachines();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You have signed out.').waitFor();
};

describeWith('chromium')('signing in', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { separate: false });

  test.each([
    ['a wrong password', 'student', 'not it'],
    ['an unknown name', 'unknown', password],
  ])('%s shows the same message, and the next attempt can succeed', async (_what, name, secret) => {
    const { student } = scene;
    await signOut(student);
    await signInHere(student, name, secret);
    const alert = student.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toBe('The name or password is incorrect.');
    expect(await student.page.evaluate(() => document.activeElement?.id)).toBe('password');
    await signInHere(student);
    await student.page.locator('body[data-page=machines]').waitFor();
  });

  test('a link to a console opens it after signing in', async () => {
    const { student } = scene;
    await signOut(student);
    await student.visitConsole(101, 'view');
    await student.page.getByText('Sign in to open the console.').waitFor();
    await signInHere(student);
    await student.waitForState('open');
    expect(new URL(student.page.url()).pathname).toBe('/console/lab/101');
    await student.page.getByText('View only', { exact: true }).waitFor();
  });

  test('signing out invalidates the cookie at the broker too', async () => {
    const { student, stack } = scene;
    const kept = await student.page.context().cookies();
    expect(kept).toMatchObject([{ httpOnly: true, sameSite: 'Lax' }]);
    await signOut(student);
    expect(await student.page.context().cookies()).toEqual([]);
    await student.page.goBack();
    await student.page.goto(stack.origin);
    await student.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await student.page.context().addCookies(kept);
    const status = await student.page.evaluate(async () => (await fetch('/api/v1/me')).status);
    expect(status).toBe(401);
  });

  test('each user sees their own machines', async () => {
    const { student, stack } = scene;
    await stack.proxmox.addGuest({ vmid: 300, node: 'pve1', name: 'office-server' });
    const instructor = await scene.signInAs('instructor');
    await instructor.visitMachines();
    await instructor.page.getByRole('link', { name: 'office-server' }).waitFor();
    await student.visitMachines();
    await student.page.getByRole('link', { name: 'student-one' }).waitFor();
    expect(await student.page.getByText('office-server').count()).toBe(0);
    await student.visitConsole(300);
    await student.hasHeading('This machine does not exist, or you have no access to it.');
    stack.proxmox.removeGuest(300);
  });
});

/** What a page of another site can do in the browser of a signed-in user. */
describeWith('chromium')('a hostile page', () => {
  const browser = useBrowser();
  const scene = useScene(browser);
  let server: Server;
  let hostile: string;

  beforeAll(async () => {
    server = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Win a prize</title>'),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // Another port is another origin of the same site, so the browser sends the cookie.
    hostile = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  /** The browser logs what it denied to the page. */
  const expectOnly = ({ faults }: BrowserUser, pattern: RegExp) =>
    expect(faults.splice(0).filter((fault) => !pattern.test(fault))).toEqual([]);

  test("can't read from the API and can't change anything", async () => {
    const { student, stack } = scene;
    await student.page.goto(hostile);
    const tries = await student.page.evaluate(async (origin) => {
      const outcome = async (path: string, init?: RequestInit) =>
        fetch(`${origin}/api/v1${path}`, { credentials: 'include', ...init }).then(
          (response) => `${response.type} ${response.status}`,
          () => 'blocked',
        );
      const body = JSON.stringify({ mode: 'control' });
      return {
        read: await outcome('/consoles'),
        grant: await outcome('/consoles/lab/100/grants', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        }),
        // Requests that need no preflight, like those of a form.
        blind: await outcome('/consoles/lab/100/grants', { method: 'POST', mode: 'no-cors', body }),
        signOut: await outcome('/logout', { method: 'POST', mode: 'no-cors' }),
      };
    }, stack.origin);
    expect(tries).toEqual({ read: 'blocked', grant: 'blocked', blind: 'blocked', signOut: 'blocked' });
    expectOnly(student, /CORS/);
    // Requests without a preflight arrived and were refused.
    expect(stack.logged.filter((line) => line.includes('cross_site'))).toHaveLength(2);
    expect(stack.logged.join('')).not.toContain('a console was granted');
    // The user is still signed in.
    await student.page.goto(stack.origin);
    await student.page.locator('body[data-page=machines]').waitFor();
  });

  test("can't open a console with a stolen grant, which is used up by the attempt", async () => {
    const { student, stack } = scene;
    await student.visitMachines();
    const grant = await student.page.evaluate(async () => {
      const response = await fetch('/api/v1/consoles/lab/100/grants', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ mode: 'control' }),
      });
      return (await response.json()) as { url: string; protocols: string[] };
    });
    await student.page.goto(hostile);
    const code = await student.page.evaluate(
      ({ url, protocols }) =>
        new Promise<number>((resolve) => {
          const socket = new WebSocket(url, protocols);
          socket.addEventListener('close', (event) => resolve(event.code));
        }),
      grant,
    );
    expect(code).toBe(4403);
    expect(stack.proxmox.calls.filter(({ path }) => path.includes('vncproxy'))).toEqual([]);
  });

  test("can't put the pages into a frame", async () => {
    const { student, stack } = scene;
    await student.page.goto(hostile);
    await student.page.evaluate((origin) => {
      const frame = document.createElement('iframe');
      frame.src = `${origin}/console/lab/100`;
      document.body.append(frame);
    }, stack.origin);
    await eventually('the browser blocks the frame', () => student.faults.length > 0);
    expectOnly(student, /frame-ancestors|X-Frame-Options/i);
    expect(stack.proxmox.openConsoles()).toBe(0);
  });
});
