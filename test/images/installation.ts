import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '@porthole/broker/sign-in/local/password-hash';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { Service } from '../../k8s/images/stage-service.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { freePort } from '../free-port.ts';
import { connectConsole } from '../relay/console-client.ts';
import type { ServiceProcess } from '../standalone/service-process.ts';
import { toYaml } from '../to-yaml.ts';

const password = 'long enough';
const token = { tokenid: 'porthole@pve!console', secret: '11111111-2222-4333-8444-555555555555' };

/** Starts a service with environment variables. `folder` contains its files. */
export type StartService = (service: Service, env: Record<string, string>, folder: string) => ServiceProcess;

/** The files of an installation, and a simulated Proxmox VE. */
export interface Installation {
  readonly proxmox: FakeProxmox;
  /** Environment variables that all services share. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a service with additional environment variables, and waits until it is ready. */
  start(service: Service, extraEnv?: Record<string, string>): Promise<Running>;
  stop(): Promise<void>;
}

export interface Running {
  readonly url: string;
  readonly operations: string;
  readonly process: ServiceProcess;
}

/** `mountPath`: the path of the files as the services see it, if it differs. */
export async function createInstallation(
  startService: StartService,
  mountPath?: string,
): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'porthole-installation-'));
  // In a container, another user reads the files.
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
  await writeFile(join(folder, 'users.yaml'), toYaml({ users }));
  await writeFile(join(folder, 'ca.pem'), proxmox.caPem);
  await writeFile(join(folder, 'secret'), token.secret);
  await writeFile(join(folder, 'keys'), 'k'.repeat(40));
  const running: ServiceProcess[] = [];
  const file = (name: string) => join(mountPath ?? folder, name);

  const commonEnv = {
    PORTHOLE_PROXMOX_URL: proxmox.url('pve1'),
    PORTHOLE_PROXMOX_TOKEN: token.tokenid,
    PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: file('secret'),
    PORTHOLE_PROXMOX_CA_FILE: file('ca.pem'),
    PORTHOLE_USERS_FILE: file('users.yaml'),
    PORTHOLE_GRANT_KEYS_FILE: file('keys'),
  };

  return {
    proxmox,
    env: commonEnv,
    async start(service, extraEnv = {}) {
      const [port, operations] = [await freePort(), await freePort()];
      const env = {
        PORTHOLE_PUBLIC_URL: `http://127.0.0.1:${port}`,
        PORTHOLE_LISTEN: `127.0.0.1:${port}`,
        PORTHOLE_OPERATIONS_LISTEN: `127.0.0.1:${operations}`,
        ...commonEnv,
        ...extraEnv,
      };
      const process = startService(service, env, folder);
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

/** Signs in and opens a console, as a browser does. Returns the name of the console after its first picture. */
export async function openConsole(broker: Running, relay: Running): Promise<string> {
  const publicUrl = broker.url;
  const post = (path: string, body: unknown, cookie = '') =>
    fetch(`${broker.url}${path}`, {
      method: 'POST',
      headers: { origin: publicUrl, 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
  const login = await post('/api/v1/login', { username: 'ada', password });
  expect(login.status).toBe(200);
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0];
  const response = await post('/api/v1/consoles/proxmox/100/grants', { mode: 'control' }, cookie);
  expect(response.status).toBe(201);
  const { protocols } = (await response.json()) as { protocols: string[] };
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
