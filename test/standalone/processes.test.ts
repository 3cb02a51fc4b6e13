import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { createFakeProxmox, type FakeProxmox } from '../fakes/proxmox/fake-proxmox.ts';
import { startIssuer } from '../fakes/oidc/issuer.ts';
import { createWalker } from '../fakes/oidc/walk.ts';
import { freePort } from '../free-port.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { connectConsole } from '../relay/console-client.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';

/** The programs, as the README starts them. */
const token = { tokenid: 'porthole@pve!console', secret: '11111111-2222-4333-8444-555555555555' };
const mains = {
  standalone: 'services/standalone/src/main.ts',
  broker: 'services/broker/src/main.ts',
  relay: 'services/relay/src/main.ts',
  porthole: 'services/broker/src/cli/main.ts',
};

let proxmox: FakeProxmox;
let folder: string;
let env: Record<string, string>;
const running: ServiceProcess[] = [];

function start(main: keyof typeof mains, different: Record<string, string>): ServiceProcess {
  const service = startProcess(mains[main], [], { ...env, ...different });
  running.push(service);
  return service;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthole-processes-'));
  proxmox = await createFakeProxmox({
    users: [
      { userid: 'porthole@pve', password: 'unused', acl: { '/': ['VM.Console', 'VM.Audit', 'Sys.Audit'] } },
    ],
    tokens: [{ ...token, privsep: false }],
    guests: [{ vmid: 100, node: 'pve2', name: 'lab', guest: createBuiltinGuest({ name: 'lab' }) }],
  });
  const users = join(folder, 'users.yaml');
  const command = startProcess(
    mains.porthole,
    ['user', 'add', 'ada', '--groups', 'admins', '--file', users],
    {},
    'long enough\n',
  );
  expect(await command.exited).toBe(0);
  expect(await readFile(users, 'utf8')).not.toContain('long enough');
  await writeFile(join(folder, 'ca.pem'), proxmox.caPem);
  await writeFile(join(folder, 'secret'), `${token.secret}\n`);
  await writeFile(join(folder, 'keys'), `${'n'.repeat(40)}\n${'o'.repeat(40)}\n`);
  env = {
    PORTHOLE_PROXMOX_URL: proxmox.url('pve1'),
    PORTHOLE_PROXMOX_TOKEN: token.tokenid,
    PORTHOLE_PROXMOX_TOKEN_SECRET_FILE: join(folder, 'secret'),
    PORTHOLE_PROXMOX_CA_FILE: join(folder, 'ca.pem'),
    PORTHOLE_USERS_FILE: users,
    PORTHOLE_OPERATIONS_LISTEN: '127.0.0.1:0',
  };
});
afterEach(async () => {
  for (const service of running.splice(0)) {
    service.signal('SIGKILL');
    await service.exited;
  }
});
afterAll(async () => {
  await proxmox.close();
  await rm(folder, { recursive: true });
});

const asking = (origin: string, cookie = '') => ({ origin, 'content-type': 'application/json', cookie });

async function signIn(origin: string): Promise<string> {
  const login = await fetch(`${origin}/api/v1/login`, {
    method: 'POST',
    headers: asking(origin),
    body: JSON.stringify({ username: 'ada', password: 'long enough' }),
  });
  expect(login.status).toBe(200);
  return login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** Signs in and opens a console over HTTP and WebSocket, until the machine's name arrives. */
async function openConsole(origin: string, signedIn?: string) {
  const cookie = signedIn ?? (await signIn(origin));
  const answer = await fetch(`${origin}/api/v1/consoles/proxmox/100/grants`, {
    method: 'POST',
    headers: asking(origin, cookie),
    body: JSON.stringify({ mode: 'control', kind: 'screen' }),
  });
  expect(answer.status).toBe(201);
  const grant = (await answer.json()) as { id: string; url: string; protocols: string[] };
  const client = connectConsole({ url: grant.url, protocols: grant.protocols, origin });
  return { client, id: grant.id, name: (await client.rfb()).name };
}

test('npm start opens a console with a handful of variables, and stops cleanly', async () => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const porthole = start('standalone', { PORTHOLE_LISTEN: `127.0.0.1:${port}`, PORTHOLE_PUBLIC_URL: origin });
  await porthole.printed('Porthole is open');
  const { client, name } = await openConsole(origin);
  expect(name).toBe('QEMU (lab)');
  porthole.signal('SIGTERM');
  expect((await client.closed).code).toBe(1012);
  expect(await porthole.exited).toBe(0);
  expect(porthole.output()).not.toContain(token.secret);
});

test('an invalid configuration is refused, with all errors', async () => {
  const { PORTHOLE_PROXMOX_CA_FILE: _none, ...rest } = env;
  const porthole = startProcess(mains.standalone, [], {
    ...rest,
    PORTHOLE_PROXMOX_URL: 'http://pve1',
    PORTHOLE_LISTEN: 'nowhere',
    PORTHOLE_PUBLIK_URL: 'http://localhost',
  });
  expect(await porthole.exited).toBe(2);
  expect(porthole.output()).toContain('PORTHOLE_PROXMOX_URL: must be an https:// URL');
  expect(porthole.output()).toContain('PORTHOLE_LISTEN: must be host:port');
  expect(porthole.output()).toContain('PORTHOLE_PUBLIK_URL: unknown setting');
});

test.each(['relay', 'broker'] as const)(
  'a separate %s without Redis fails and names the setting',
  async (service) => {
    const alone = startProcess(mains[service], [], env);
    expect(await alone.exited).toBe(2);
    expect(alone.output()).toMatch(new RegExp(`redis\\.url: .*${service} .*shares Redis`));
  },
);

test.each([
  ['PORTHOLE_LISTEN', 'listen'],
  ['PORTHOLE_OPERATIONS_LISTEN', 'operationsListen'],
] as const)(
  'if %s is in use, the start fails with a remedy, and announces nothing',
  async (name, setting) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const porthole = start('standalone', { PORTHOLE_LISTEN: '127.0.0.1:0', [name]: address });
    expect(await porthole.exited).toBe(1);
    expect(porthole.output()).toBe(
      `Cannot listen on ${address}: another program uses this address (EADDRINUSE). Stop it, or change ${setting}.\n`,
    );
    other.close();
  },
);

describeWith('redis')('broker and relay in separate processes', () => {
  test('announce that they are ready only when Redis has responded', async () => {
    const port = await freePort();
    const common = {
      PORTHOLE_REDIS_URL: `redis://127.0.0.1:${port}`,
      PORTHOLE_GRANT_KEYS_FILE: join(folder, 'keys'),
      PORTHOLE_LISTEN: '127.0.0.1:0',
    };
    const services = [start('broker', common), start('relay', common), start('standalone', common)];
    for (const service of services) {
      await service.printed('"not ready"');
      expect(service.output()).toContain('the store has not responded yet');
      expect(service.output()).not.toMatch(/"ready"|Porthole is open/);
    }
    const redis = await startRedisServer({ port });
    for (const [index, service] of services.entries())
      await service.printed(index === 2 ? 'Porthole is open' : '"ready"');
    await redis.stop();
  }, 30_000);

  test('meet in Redis and open a console', async () => {
    const redis = await startRedisServer();
    const [brokerPort, relayPort] = [await freePort(), await freePort()];
    const origin = `http://localhost:${brokerPort}`;
    const common = {
      PORTHOLE_REDIS_URL: redis.url,
      PORTHOLE_GRANT_KEYS_FILE: join(folder, 'keys'),
      PORTHOLE_PUBLIC_URL: origin,
      PORTHOLE_RELAY_URL: `ws://localhost:${relayPort}`,
      PORTHOLE_LOG_LEVEL: 'info',
    };
    const broker = start('broker', { ...common, PORTHOLE_LISTEN: `127.0.0.1:${brokerPort}` });
    const relay = start('relay', { ...common, PORTHOLE_LISTEN: `127.0.0.1:${relayPort}` });
    await Promise.all([broker.printed('"ready"'), relay.printed('"ready"')]);
    const { client, name } = await openConsole(origin);
    expect(name).toBe('QEMU (lab)');
    client.close();
    for (const service of [broker, relay]) {
      service.signal('SIGTERM');
      expect(await service.exited).toBe(0);
    }
    await redis.stop();
  });

  test('end a console in the relay by a request to the broker', async () => {
    const redis = await startRedisServer();
    const [brokerPort, relayPort] = [await freePort(), await freePort()];
    const origin = `http://localhost:${brokerPort}`;
    const issuer = await startIssuer({
      accounts: [{ sub: 'ben-1', claims: { preferred_username: 'ben', groups: ['admins'] } }],
      redirectUris: [`${origin}/api/v1/login/oidc/school/callback`],
    });
    const config = join(folder, 'porthole.yaml');
    await writeFile(
      config,
      stringify({
        signIn: {
          oidc: [
            {
              name: 'school',
              issuer: issuer.url,
              clientId: issuer.clientId,
              clientSecret: issuer.clientSecret,
              scopes: ['openid', 'profile', 'groups'],
            },
          ],
        },
        access: [{ who: { groups: ['admins'] }, which: { all: true }, allow: ['control', 'end'] }],
      }),
    );
    const common = {
      PORTHOLE_CONFIG: config,
      PORTHOLE_REDIS_URL: redis.url,
      PORTHOLE_GRANT_KEYS_FILE: join(folder, 'keys'),
      PORTHOLE_PUBLIC_URL: origin,
      PORTHOLE_RELAY_URL: `ws://localhost:${relayPort}`,
    };
    const broker = start('broker', { ...common, PORTHOLE_LISTEN: `127.0.0.1:${brokerPort}` });
    const relay = start('relay', { ...common, PORTHOLE_LISTEN: `127.0.0.1:${relayPort}` });
    await Promise.all([broker.printed('"ready"'), relay.printed('"ready"')]);

    const ada = await signIn(origin);
    const first = await openConsole(origin, ada);
    const ended = await fetch(`${origin}/api/v1/sessions/${first.id}`, {
      method: 'DELETE',
      headers: { origin, cookie: ada },
    });
    expect(ended.status).toBe(204);
    expect(await first.client.closed).toMatchObject({ code: 4423 });

    const walker = createWalker(issuer.url);
    await walker.walk(`${origin}/api/v1/login/oidc/school`, { sub: 'ben-1' });
    const ben = [...walker.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ');
    const second = await openConsole(origin, ben);
    const seconds = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({
      iss: issuer.url,
      aud: issuer.clientId,
      sub: 'ben-1',
      jti: 'one',
      iat: seconds,
      exp: seconds + 60,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    const told = await fetch(`${origin}/api/v1/login/oidc/school/logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
    expect(told.status).toBe(200);
    expect(await second.client.closed).toEqual({ code: 4423, reason: 'You were signed out.' });

    await redis.stop();
    await issuer.stop();
  });
});
