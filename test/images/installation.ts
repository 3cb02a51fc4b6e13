import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '@porthole/broker/sign-in/password-hash';
import { systemRandom } from '@porthole/shared/crypto/random';
import { stringify } from 'yaml';
import type { Service } from '../../k8s/images/stage.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import { connectConsole } from '../relay/console-client.ts';
import type { ServiceProcess } from '../standalone/service-process.ts';

const password = 'long enough';
const token = { tokenid: 'porthole@pve!console', secret: '11111111-2222-4333-8444-555555555555' };

/** Starts a service with this environment; `folder` is where its files are. */
export type Launch = (service: Service, env: Record<string, string>, folder: string) => ServiceProcess;

/** Files and a Proxmox, as somebody has them who installs Porthole. */
export interface Installation {
  readonly proxmox: FakeProxmox;
  /** What the environment says to every service of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts it and waits until it says that it is ready. */
  start(service: Service, different?: Record<string, string>): Promise<Running>;
  stop(): Promise<void>;
}

export interface Running {
  readonly url: string;
  readonly operations: string;
  readonly process: ServiceProcess;
}

/** `place`: what the services call that folder, if they see it elsewhere. */
export async function createInstallation(launch: Launch, place?: string): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-installation-'));
  // Somebody else reads it: the user of the image.
  await chmod(folder, 0o755);
  const proxmox = await createFakeProxmox({
    users: [
      {
        userid: 'porthole@pve',
        password: 'unused',
        acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit', 'Pool.Audit'] },
      },
    ],
    tokens: [{ ...token, privsep: false }],
    guests: [{ vmid: 100, node: 'pve2', name: 'lab', guest: createBuiltinGuest({ name: 'lab' }) }],
  });
  const users = [{ name: 'ada', groups: ['admins'], password: await hashPassword(password, systemRandom) }];
  await writeFile(join(folder, 'users.yaml'), stringify({ users }));
  await writeFile(join(folder, 'ca.pem'), proxmox.caPem);
  await writeFile(join(folder, 'secret'), token.secret);
  await writeFile(join(folder, 'keys'), 'k'.repeat(40));
  const running: ServiceProcess[] = [];
  const file = (name: string) => join(place ?? folder, name);

  const common = {
    PORTHOLE_PROXMOX_URL: proxmox.url('pve1'),
    PORTHOLE_PROXMOX_TOKEN: token.tokenid,
    PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: file('secret'),
    PORTHOLE_PROXMOX_CA_FILE: file('ca.pem'),
    PORTHOLE_USERS_FILE: file('users.yaml'),
    PORTHOLE_GRANT_KEYS_FILE: file('keys'),
  };

  return {
    proxmox,
    env: common,
    async start(service, different = {}) {
      const [port, operations] = [await freePort(), await freePort()];
      const env = {
        PORTHOLE_PUBLIC_URL: `http://127.0.0.1:${port}`,
        PORTHOLE_LISTEN: `127.0.0.1:${port}`,
        PORTHOLE_OPERATIONS_LISTEN: `127.0.0.1:${operations}`,
        ...common,
        ...different,
      };
      const process = launch(service, env, folder);
      running.push(process);
      await process.printed(service === 'standalone' ? 'Porthole is open' : '"ready"');
      return { url: `http://127.0.0.1:${port}`, operations: `http://127.0.0.1:${operations}`, process };
    },
    async stop() {
      for (const process of running) process.signal('SIGKILL');
      await proxmox.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** From the sign-in to the first picture, as a browser does it that finds both behind one address. */
export async function openConsole(broker: Running, relay: Running): Promise<string> {
  const publicUrl = broker.url;
  const ask = (path: string, body: unknown, cookie = '') =>
    fetch(`${broker.url}${path}`, {
      method: 'POST',
      headers: { origin: publicUrl, 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
  const login = await ask('/api/v1/login', { username: 'ada', password });
  expect(login.status).toBe(200);
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0];
  const answer = await ask('/api/v1/consoles/proxmox/100/grants', { mode: 'control' }, cookie);
  expect(answer.status).toBe(201);
  const { protocols } = (await answer.json()) as { protocols: string[] };
  const client = connectConsole({
    url: `${relay.url.replace('http', 'ws')}/relay/v1/console`,
    protocols,
    origin: publicUrl,
  });
  const rfb = await client.rfb();
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  client.close();
  await client.closed;
  return rfb.name;
}
