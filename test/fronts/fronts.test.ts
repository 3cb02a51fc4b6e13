import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowserUser, type BrowserUser } from '../e2e/browser-user.ts';
import { useBrowser } from '../e2e/scene.ts';
import { startStack, type Stack } from '../e2e/stack.ts';
import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import type { Front } from '../fakes/haproxy/start.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { freePort } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { fronts, type Changes, type Shipped } from './shipped.ts';

/** A Porthole behind a real front with the configuration in docs/fronts, over TLS, in a real browser. */
interface Site {
  readonly stack: Stack;
  readonly front: Front;
  reload(): Promise<void>;
  visitor(): Promise<BrowserUser>;
  stop(): Promise<void>;
}

const patient = { idle: 300, leave: 300 };
/** Long enough for a computer that stops for a moment, and short enough to wait for it twice. */
const hasty = 6;
/** Of the machine's own time. */
const booted = 60_000;
const never = 24 * 3600 * 1000;

describe.each(fronts)('behind a real $name with the configuration that we ship', (shipped) => {
  describeWith('chromium', shipped.name)('a console', () => {
    const browser = useBrowser();
    let folder: string;
    let sites: Site[];

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
    beforeEach(() => {
      sites = [];
    });
    afterEach(async () => {
      for (const site of sites) await site.stop();
    });
    afterAll(() => rm(folder, { recursive: true }));

    async function aSite(different: { idle: number; leave: number; ping?: number }): Promise<Site> {
      const site = await startSite(shipped, folder, different, browser);
      sites.push(site);
      return site;
    }

    test('opens, and outlives the idle timeout: only pings keep it', async () => {
      const site = await aSite({ idle: hasty, leave: 300, ping: 1000 });
      const quiet = await aSite({ idle: hasty, leave: 300, ping: never });
      const student = await site.visitor();
      const control = await quiet.visitor();
      await student.openConsole(100);
      await control.openConsole(100);
      // Cut twice for want of pings: so much time has gone by, and nothing else was carried.
      await eventually('the other is cut', () => control.sockets() >= 3, 60_000);
      expect(student.sockets()).toBe(1);
      await typesInto(student);
    }, 90_000);

    test('stays through a reload', async () => {
      const site = await aSite(patient);
      const student = await site.visitor();
      await student.openConsole(100);
      await site.reload();
      expect(student.sockets()).toBe(1);
      await typesInto(student);
      // And whoever comes now finds the new one.
      const tab = await student.anotherTab();
      await tab.openConsole(101);
    }, 60_000);

    test('goes on at once when what was left of before the reload is ended', async () => {
      const site = await aSite({ idle: 300, leave: 1 });
      const student = await site.visitor();
      await student.openConsole(100);
      await site.reload();
      await eventually('there is a new connection', () => student.sockets() === 2);
      await student.waitForState('open');
      await typesInto(student);
      // It resumed: nobody had to be asked for a new grant.
      expect(student.received.answers.filter((answer) => /\/grants"/.test(answer))).toHaveLength(1);
    }, 60_000);
  });
});

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

/** On a connection of its own, which the configuration of the moment takes. */
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
