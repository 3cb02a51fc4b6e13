import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { signInHere, type Person } from './person.ts';
import { useBrowser, useScene } from './scene.ts';
import { password } from './stack.ts';

const signOut = async ({ page }: Person) => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You have signed out.').waitFor();
};

describeWith('chromium')('signing in', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { apart: false });

  test.each([
    ['a wrong password', 'student', 'not it'],
    ['a name that nobody has', 'nobody', password],
  ])('%s is told in the same words, and the next try may be right', async (_what, name, secret) => {
    const { student } = scene;
    await signOut(student);
    await signInHere(student, name, secret);
    const alert = student.page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toBe('The name or the password is wrong.');
    expect(await student.page.evaluate(() => document.activeElement?.id)).toBe('password');
    await signInHere(student);
    await student.page.locator('body[data-page=machines]').waitFor();
  });

  test('a link to a console leads there after signing in', async () => {
    const { student } = scene;
    await signOut(student);
    await student.visitConsole(101, 'view');
    await student.page.getByText('Sign in to open the console.').waitFor();
    await signInHere(student);
    await student.reaches('open');
    expect(new URL(student.page.url()).pathname).toBe('/console/lab/101');
    await student.page.getByText('View only', { exact: true }).waitFor();
  });

  test('signing out ends it in this browser and at the broker, whoever kept the cookie', async () => {
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

  test('somebody else sees other machines', async () => {
    const { student, stack } = scene;
    await stack.proxmox.addGuest({ vmid: 300, node: 'pve1', name: 'office-server' });
    const instructor = await scene.somebody('instructor');
    await instructor.page.getByRole('link', { name: 'office-server' }).waitFor();
    await student.page.reload();
    await student.page.getByRole('link', { name: 'student-one' }).waitFor();
    expect(await student.page.getByText('office-server').count()).toBe(0);
    await student.visitConsole(300);
    await student.reads('This machine does not exist or is not yours.');
    stack.proxmox.removeGuest(300);
  });
});

/** What the page of another site is able to do in the browser of somebody who is signed in here. */
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
    // Another port is another origin, and the same site: the cookie goes along, so it is not what protects us.
    hostile = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  /** The browser says in its console what it kept from the page; that is the point here. */
  const expectOnly = ({ faults }: Person, pattern: RegExp) =>
    expect(faults.splice(0).filter((fault) => !pattern.test(fault))).toEqual([]);

  test('can neither read from the API nor have it do anything', async () => {
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
        // What needs no permission beforehand, as a form would send it.
        blind: await outcome('/consoles/lab/100/grants', { method: 'POST', mode: 'no-cors', body }),
        signOut: await outcome('/logout', { method: 'POST', mode: 'no-cors' }),
      };
    }, stack.origin);
    expect(tries).toEqual({ read: 'blocked', grant: 'blocked', blind: 'blocked', signOut: 'blocked' });
    expectOnly(student, /CORS/);
    // Those that need no permission beforehand did arrive, and were refused.
    expect(stack.logged.filter((line) => line.includes('cross_site'))).toHaveLength(2);
    expect(stack.logged.join('')).not.toContain('a console was granted');
    // Still signed in.
    await student.page.goto(stack.origin);
    await student.page.locator('body[data-page=machines]').waitFor();
  });

  test('can not open a console with a stolen grant, which is then used up', async () => {
    const { student, stack } = scene;
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

  test('can not put our pages into a frame', async () => {
    const { student, stack } = scene;
    await student.page.goto(hostile);
    await student.page.evaluate((origin) => {
      const frame = document.createElement('iframe');
      frame.src = `${origin}/console/lab/100`;
      document.body.append(frame);
    }, stack.origin);
    await eventually('the browser refuses', () => student.faults.length > 0);
    expectOnly(student, /frame-ancestors|X-Frame-Options/i);
    expect(stack.proxmox.openConsoles()).toBe(0);
  });
});
