import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { shownCommands } from '../docs/commands.ts';
import { openBrowserUser, type BrowserUser } from '../e2e/browser-user.ts';
import { useBrowser } from '../e2e/scene.ts';
import { startStack, type Stack } from '../e2e/stack.ts';
import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import type { Front } from '../fakes/haproxy/start.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { freePort } from '../free-port.ts';
import { describeWith } from '../needs.ts';
import { fronts, type Changes, type Shipped } from './shipped.ts';

/** Porthole behind a real front with the configuration in docs/fronts, over TLS, in a real browser. */
interface Site {
  readonly stack: Stack;
  readonly front: Front;
  reload(): Promise<void>;
  /** Sends a command to the socket of HAProxy, and returns the answer. */
  command(line: string): Promise<string>;
  readonly relayPort: number;
  visitor(): Promise<BrowserUser>;
  stop(): Promise<void>;
}

const patient = { idle: 300, leave: 300 };
/** Seconds. Longer than a busy computer pauses, and less than the silence after which the page itself sends a ping. */
const hasty = 4;
/** Milliseconds of the machine's own time. */
const booted = 60_000;
const never = 24 * 3600 * 1000;

describeWith(
  'chromium',
  'nginx',
  'haproxy',
)('a console behind a front with the configuration that we ship', () => {
  const browser = useBrowser();
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-front-'));
    const ca = createCertificateAuthority();
    const { certPem, keyPem } = ca.issue({
      name: 'porthole',
      fqdn: 'porthole.example.org',
      address: '127.0.0.1',
    });
    await writeFile(join(folder, 'tls.crt'), certPem);
    await writeFile(join(folder, 'tls.key'), keyPem);
    await writeFile(join(folder, 'tls.pem'), certPem + keyPem);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs `steps` at a site of its own. */
  async function atSite(
    shipped: Shipped,
    different: { idle: number; leave: number; ping?: number },
    steps: (site: Site) => Promise<void>,
  ): Promise<void> {
    const site = await startSite(shipped, folder, different, browser);
    try {
      await steps(site);
    } finally {
      await site.stop();
    }
  }

  // Concurrent, because these tests mostly wait.
  test.concurrent.each(fronts)(
    'behind $name outlives the idle timeout by its pings',
    (shipped) =>
      atSite(shipped, { idle: hasty, leave: 300, ping: 1000 }, async (site) => {
        const student = await site.visitor();
        await student.openConsole(100);
        await atSite(shipped, { idle: hasty, leave: 300, ping: never }, async (quiet) => {
          const control = await quiet.visitor();
          await control.openConsole(100);
          // Without pings it is cut, twice: so much time has passed, and nothing else was forwarded.
          await eventually('the other is cut', () => control.sockets() >= 3, { withinMs: 60_000 });
        });
        expect(student.sockets()).toBe(1);
        await typesInto(student);
      }),
    120_000,
  );

  test.concurrent.each(fronts)(
    'behind $name stays open through a reload',
    (shipped) =>
      atSite(shipped, patient, async (site) => {
        const student = await site.visitor();
        await student.openConsole(100);
        await site.reload();
        expect(student.sockets()).toBe(1);
        await typesInto(student);
        // New connections use the new configuration.
        const tab = await student.anotherTab();
        await tab.openConsole(101);
      }),
    120_000,
  );

  test.concurrent.each(fronts.filter(({ name }) => name === 'haproxy'))(
    'behind $name is not interrupted when relays are added and removed at run time, as documented',
    (shipped) =>
      atSite(shipped, patient, async (site) => {
        const [setAddress = '', enable = '', disable = ''] = runTimeCommands;
        expect(runTimeCommands).toHaveLength(3);
        const student = await site.visitor();
        await student.openConsole(100);
        expect(await connectionsOf(site, 'relay-1')).toBe(1);

        // Both slots lead to the same relay, and HAProxy treats them as two.
        const address = setAddress.replace('192.0.2.12 port 8081', `127.0.0.1 port ${site.relayPort}`);
        expect(await site.command(address)).toContain(`port changed from '8081' to '${site.relayPort}'`);
        expect(await site.command(enable)).toBe('\n');
        expect(await site.command(disable.replace('relay-2', 'relay-1'))).toBe('\n');
        const tab = await student.anotherTab();
        await tab.openConsole(101);
        expect([await connectionsOf(site, 'relay-1'), await connectionsOf(site, 'relay-2')]).toEqual([1, 1]);

        expect(await site.command(enable.replace('relay-2', 'relay-1'))).toBe('\n');
        expect(await site.command(disable)).toBe('\n');
        for (const page of [student, tab]) await typesInto(page);
        expect([student.sockets(), tab.sockets()]).toEqual([1, 1]);
      }),
    120_000,
  );

  test.concurrent.each(fronts)(
    'behind $name resumes at once when the process from before the reload ends',
    (shipped) =>
      atSite(shipped, { idle: 300, leave: 1 }, async (site) => {
        const student = await site.visitor();
        let grants = 0;
        student.page.on(
          'response',
          (response) => void (grants += Number(response.url().endsWith('/grants'))),
        );
        await student.openConsole(100);
        await site.reload();
        await eventually('there is a new connection', () => student.sockets() === 2);
        await student.waitForState('open');
        await typesInto(student);
        // It resumes: the page requests no new grant.
        expect(grants).toBe(1);
      }),
    120_000,
  );
});

/** Commands for the socket of HAProxy in docs/fronts.md: the first two add a relay, the third removes it. */
const runTimeCommands = shownCommands()
  .filter(({ page, line }) => page === 'docs/fronts.md' && line.startsWith('echo '))
  .map(({ line }) => /^echo "(.*)" \| socat stdio \/run\/haproxy\/admin\.sock$/.exec(line)?.[1] ?? line);

/** Open connections of a server, from `show stat`. */
async function connectionsOf(site: Site, server: string): Promise<number> {
  const [header = '', ...lines] = (await site.command('show stat')).split('\n');
  const columns = header.split(',');
  const row = lines
    .map((line) => line.split(','))
    .find(([proxy, name]) => proxy === 'relay' && name === server);
  return Number(row?.[columns.indexOf('scur')]);
}

async function typesInto(student: BrowserUser): Promise<void> {
  const before = await student.picture();
  await student.type('x');
  await eventually('the machine shows it', async () => !(await student.picture()).data.equals(before.data));
}

async function startSite(
  shipped: Shipped,
  folder: string,
  different: { readonly idle: number; readonly leave: number; readonly ping?: number },
  browser: ReturnType<typeof useBrowser>,
): Promise<Site> {
  const [port, broker, relay] = [await freePort(), await freePort(), await freePort()];
  const origin = `https://127.0.0.1:${port}`;
  const changes: Omit<Changes, 'generation'> = {
    front: port,
    broker,
    relays: [relay],
    socket: join(folder, `${port}.sock`),
    certificate: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
    both: join(folder, 'tls.pem'),
    idle: different.idle,
    leave: different.leave,
  };
  // A machine whose clock stands still paints nothing by itself.
  const clock = createFakeClock(0);
  const stack = await startStack({
    machines: [100, 101].map((vmid) => ({
      vmid,
      node: 'pve1',
      name: `student-${vmid}`,
      guest: createBuiltinGuest({ name: `student-${vmid}`, clock }),
    })),
    separate: true,
    port: broker,
    relayPort: relay,
    settings: () => ({ publicUrl: origin, relayUrl: undefined, trustedProxies: 1 }),
    ...(different.ping === undefined ? {} : { deadlines: { ping: different.ping } }),
  });
  clock.advance(booted);
  const front = await shipped.start({ port, config: shipped.config({ ...changes, generation: 1 }) });
  const people: BrowserUser[] = [];
  return {
    stack,
    front,
    async reload() {
      await front.reload(shipped.config({ ...changes, generation: 2 }));
      await eventually('the new configuration answers', async () => (await generationOf(port)) === '2');
    },
    command: (line) => ask(changes.socket, line),
    relayPort: relay,
    async visitor() {
      const person = await openBrowserUser(browser(), origin, { ignoreHTTPSErrors: true });
      people.push(person);
      await person.signIn('student');
      return person;
    },
    async stop() {
      for (const person of people) await person.close();
      await front.stop();
      await stack.stop();
      expect(people.flatMap(({ faults }) => faults)).toEqual([]);
      expect(stack.proxmox.violations).toEqual([]);
    },
  };
}

/** Sends a line to a Unix socket, and returns everything that it answers. */
async function ask(path: string, line: string): Promise<string> {
  const socket = connect(path);
  socket.write(`${line}\n`);
  return text(socket);
}

/** Asks on a connection of its own, which the current configuration serves. */
function generationOf(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/', rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.headers['x-generation']);
    })
      .on('error', reject)
      .end();
  });
}
