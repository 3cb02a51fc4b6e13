import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signInHere, openBrowserUser, type BrowserUser } from '../e2e/browser-user.ts';
import { useBrowser } from '../e2e/scene.ts';
import { startStack, type Stack } from '../e2e/stack.ts';
import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import type { Front } from '../fakes/haproxy/start.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { fronts, type Shipped } from './shipped.ts';

/** Milliseconds of the machine's own time. */
const booted = 60_000;

describeWith(
  'chromium',
  'nginx',
  'haproxy',
)('below a path of a host that Porthole shares with another program', () => {
  const browser = useBrowser();
  let folder: string;
  let stack: Stack;
  let front: Front;
  let host: string;
  let student: BrowserUser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-base-path-'));
    const { certPem, keyPem } = createCertificateAuthority().issue({
      name: 'labs',
      fqdn: 'labs.example.org',
      address: '127.0.0.1',
    });
    await writeFile(join(folder, 'tls.crt'), certPem);
    await writeFile(join(folder, 'tls.key'), keyPem);
    await writeFile(join(folder, 'tls.pem'), certPem + keyPem);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function start(shipped: Shipped, change: (config: string) => Promise<string>): Promise<void> {
    const [port, broker, relay] = [await freePort(), await freePort(), await freePort()];
    host = `https://127.0.0.1:${port}`;
    const clock = createFakeClock(0);
    stack = await startStack({
      machines: [
        {
          vmid: 100,
          node: 'pve1',
          name: 'student-100',
          guest: createBuiltinGuest({ name: 'student-100', clock }),
        },
      ],
      separate: true,
      port: broker,
      relayPort: relay,
      settings: () => ({ publicUrl: `${host}/consoles`, relayUrl: undefined, trustedProxies: 1 }),
    });
    clock.advance(booted);
    const config = shipped.config({
      front: port,
      broker,
      relays: [relay],
      socket: join(folder, `${port}.sock`),
      certificate: join(folder, 'tls.crt'),
      key: join(folder, 'tls.key'),
      both: join(folder, 'tls.pem'),
      idle: 300,
      leave: 300,
      generation: 1,
    });
    front = await shipped.start({ port, config: await change(config) });
    student = await openBrowserUser(browser(), `${host}/consoles`, { ignoreHTTPSErrors: true });
  }
  afterEach(async () => {
    await student.close();
    await front.stop();
    await stack.stop();
  });

  const [nginx, haproxy] = fronts;

  test.each([
    ['nginx, as documented', nginx!, asDocumented],
    ['nginx that removes the path', nginx!, removingThePath],
    ['HAProxy, as documented', haproxy!, asDocumentedForHaproxy],
  ])(
    'a student behind %s signs in, opens a console, returns and signs out',
    async (_, shipped, change) => {
      await start(shipped, change);
      const { page } = student;
      // A deep link leads back to the console after the sign-in.
      await student.visitConsole(100);
      await page.getByLabel('Name', { exact: true }).waitFor();
      await signInHere(student);
      await student.waitForState('open');
      expect(page.url()).toBe(`${host}/consoles/console/lab/100`);
      const before = await student.picture();
      await student.type('x');
      await eventually(
        'the machine shows it',
        async () => !(await student.picture()).data.equals(before.data),
      );
      await page.reload();
      await student.waitForState('open');

      // The way back is in the toolbar, which appears when the pointer is at the top.
      await page.mouse.move(640, 2);
      await page.getByRole('link', { name: 'Back to your machines' }).click();
      await page.locator('body[data-page=machines]').waitFor();
      expect(page.url()).toBe(`${host}/consoles/`);
      await page.getByRole('link', { name: 'student-100' }).click();
      await student.waitForState('open');

      // The other program gets no cookie.
      const cookies = await page.context().cookies();
      expect(cookies.map(({ name, path }) => [name, path])).toEqual([['__Secure-porthole', '/consoles']]);
      await page.goto(`${host}/other`);
      expect(await page.locator('body').textContent()).toBe('cookies: ');

      await page.goto(`${host}/consoles`);
      expect(page.url()).toBe(`${host}/consoles/`);
      await page.locator('body[data-page=machines]').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Name', { exact: true }).waitFor();
      expect(await page.context().cookies()).toEqual([]);
      expect(student.faults).toEqual([]);
      expect(stack.proxmox.violations).toEqual([]);
    },
    120_000,
  );
});

const otherProgram = `
        location / {
            default_type text/plain;
            return 200 "cookies: $http_cookie";
        }
`;

/** Replaces the two locations of the included configuration by those of the documentation. */
async function asDocumented(config: string): Promise<string> {
  const page = await readFile(new URL('../../docs/fronts.md', import.meta.url), 'utf8');
  const locations = /```nginx\n([\s\S]*?)```/.exec(page)?.[1];
  if (locations === undefined) throw new Error('docs/fronts.md shows no locations for nginx.');
  const first = config.indexOf('        location / {');
  const end = config.lastIndexOf('        }\n') + '        }\n'.length;
  return config.slice(0, first) + locations + otherProgram + config.slice(end);
}

async function removingThePath(config: string): Promise<string> {
  return (await asDocumented(config))
    .replace('http://porthole_broker;', 'http://porthole_broker/;')
    .replace('http://porthole_relay;', 'http://porthole_relay/relay/;');
}

async function asDocumentedForHaproxy(config: string): Promise<string> {
  const page = await readFile(new URL('../../docs/fronts.md', import.meta.url), 'utf8');
  const [relay, broker] = [...page.matchAll(/`(use_backend \w+ if \{ path_beg \/consoles[^`]*\})`/g)].map(
    ([, line]) => line,
  );
  if (relay === undefined || broker === undefined) throw new Error('docs/fronts.md shows no conditions.');
  const other =
    'http-request return status 200 content-type text/plain lf-string "cookies: %[req.hdr(cookie)]" if';
  return config
    .replace('use_backend relay if { path_beg /relay/ }', `${other} { path /other }\n    ${relay}`)
    .replace('default_backend broker', broker);
}
