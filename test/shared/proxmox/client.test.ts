import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { ClusterConfig } from '@porthole/shared/config/schema';
import { statusResponse } from '@porthole/shared/proxmox/responses';
import { callNameOf } from '@porthole/shared/proxmox/call-name';
import { createProxmoxClient, type ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { CallObservation } from '@porthole/shared/proxmox/metrics';
import { z } from 'zod';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import type { FakeProxmox, FakeProxmoxOptions } from '../../fakes/proxmox/fake-proxmox.ts';
import { eventually } from '../../eventually.ts';
import { account, aProxmox, byPassword, clusterConfig, token } from './cluster.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function aClient(cluster: ClusterConfig, clock: FakeClock = createFakeClock()): ProxmoxClient {
  const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
  closing.push(() => client.close());
  return client;
}

async function aCluster(options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
  const fake = await aProxmox(options);
  closing.push(() => fake.close());
  return fake;
}

async function aClientOfAFake(options: { fake?: FakeProxmoxOptions; config?: Record<string, unknown> } = {}) {
  const fake = await aCluster(options.fake);
  const clock = createFakeClock();
  return { fake, clock, client: aClient(clusterConfig(fake.url(), fake.caPem, options.config), clock) };
}

const version = { path: '/version', schema: z.object({ data: z.object({ version: z.string() }) }) };
const status = { path: '/nodes/pve1/qemu/100/status/current', schema: statusResponse };
const logins = (fake: FakeProxmox) => fake.calls.filter(({ path }) => path.endsWith('/access/ticket')).length;

/** A node that is scripted, request by request, and writes down what it got. */
async function aScriptedNode(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const authority = createCertificateAuthority();
  const { certPem, keyPem } = authority.issue({ name: 'pve1', fqdn: 'pve1.example', address: '127.0.0.1' });
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    { cert: certPem, key: keyPem, keepAliveTimeout: 60_000 },
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      answer(request, response);
    },
  );
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests, caPem: authority.caPem };
}

const good = (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"version":"9"}}');

describe('a call to Proxmox', () => {
  test('by token gets what it asked for', async () => {
    const { client, fake } = await aClientOfAFake();
    expect(await client.get(version)).toMatchObject({ data: { version: '9.2.11' } });
    expect(fake.calls).toMatchObject([{ method: 'GET', user: token.tokenid, status: 200 }]);
  });

  test('by password signs in first, once for many, and may post', async () => {
    const { client, fake } = await aClientOfAFake({ config: byPassword });
    await Promise.all(Array.from({ length: 10 }, () => client.get(version)));
    expect(logins(fake)).toBe(1);
    const host = { base: new URL(fake.url('pve1')), nodeName: 'pve1' };
    const path = '/nodes/pve1/qemu/100/status/stop';
    await client.post({ path, schema: z.object({ data: z.string() }), host, form: {} });
    expect(fake.calls.at(-1)).toMatchObject({ method: 'POST', user: account.userid, status: 200 });
  });

  test('signs in once more when its ticket is no longer good, and only then', async () => {
    const { client, fake } = await aClientOfAFake({ config: byPassword });
    await client.get(version);
    fake.rotateKey();
    expect(await client.get(version)).toMatchObject({ data: {} });
    expect(logins(fake)).toBe(2);
    const host = { base: new URL(fake.url('pve1')), nodeName: 'pve1' };
    fake.rotateKey();
    const path = '/nodes/pve1/qemu/100/status/stop';
    await client.post({ path, schema: z.object({ data: z.string() }), host, form: {} });
    expect(logins(fake)).toBe(3);
  });

  test('does not sign in again and again where Proxmox refuses for good', async () => {
    const { client, fake } = await aClientOfAFake({ config: byPassword });
    fake.failRequests(/GET \/version/, { status: 401, message: 'no' });
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_credential' });
    expect(logins(fake)).toBe(2);
  });

  test('with a wrong password, or an account that needs a second factor, says so', async () => {
    const wrong = { credential: { username: account.userid, password: () => 'wrong' } };
    const { client } = await aClientOfAFake({ config: wrong });
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_credential' });
    const withTotp = { users: [{ ...account, totp: '123456', acl: {} }] };
    const second = await aClientOfAFake({ config: byPassword, fake: withTotp });
    await expect(second.client.get(version)).rejects.toMatchObject({
      code: 'proxmox_credential',
      detail: expect.stringContaining('second factor'),
    });
  });

  test('with a wrong token is refused once, without a second try', async () => {
    const credential = { token: token.tokenid, secret: () => 'wrong' };
    const { client, fake } = await aClientOfAFake({ config: { credential } });
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_credential' });
    expect(fake.calls).toHaveLength(1);
  });
});

describe("Proxmox's answer", () => {
  const answers: readonly [status: number, message: string, code: string][] = [
    [400, 'Parameter verification failed.', 'proxmox_invalid_response'],
    [401, 'Authentication failed!', 'proxmox_credential'],
    [403, 'Permission check failed (/vms/100, VM.Console)', 'proxmox_permission'],
    [500, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", 'machine_not_found'],
    [500, "hostname lookup 'pve9' failed - failed to get address info", 'machine_not_found'],
    [500, 'got no worker upid - start worker failed', 'proxmox_invalid_response'],
    [501, "Method 'GET /x' not implemented", 'proxmox_invalid_response'],
    [595, 'No route to host', 'proxmox_unreachable'],
    [596, 'Connection timed out', 'proxmox_unreachable'],
    [599, 'Too many redirections', 'proxmox_unreachable'],
    [302, 'Moved', 'proxmox_invalid_response'],
  ];

  test.each(answers)('%d %s is %s, and its words are for the log', async (code, message, kind) => {
    const { client, fake } = await aClientOfAFake();
    fake.failRequests(/GET \/version/, { status: code, message });
    await expect(client.get(version)).rejects.toMatchObject({
      code: kind,
      detail: `GET /version: ${code} ${message}`,
    });
    expect(fake.calls).toHaveLength(1);
  });

  test.each(['<html>', '', 'null', '[]', '{"data":{}}', '{"data":{"version":9}}', '{"data":'])(
    '%j with status 200 is nonsense',
    async (body) => {
      const { client, fake } = await aClientOfAFake();
      fake.failRequests(/GET \/version/, { body });
      await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_invalid_response' });
    },
  );

  test('that never ends is nonsense once it is too large', async () => {
    const chunk = Buffer.alloc(256 * 1024, ' ');
    const node = await aScriptedNode((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const client = aClient(clusterConfig(node.url, node.caPem));
    await expect(client.get(version)).rejects.toMatchObject({
      code: 'proxmox_invalid_response',
      detail: expect.stringContaining('too large'),
    });
  });

  test('that does not come is waited for until its deadline', async () => {
    const { client, clock, fake } = await aClientOfAFake();
    fake.failRequests(/GET \/version/, { noAnswer: true });
    const calling = expect(client.get(version)).rejects.toMatchObject({
      code: 'proxmox_timeout',
      detail: expect.stringContaining('no response within 15000 ms'),
    });
    await eventually('the request arrived', () => fake.calls.length === 1);
    clock.advance(15_000);
    await calling;
    expect(fake.calls).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });

  test('is not waited for when the caller is gone', async () => {
    const { client, clock, fake } = await aClientOfAFake();
    fake.failRequests(/GET \/version/, { noAnswer: true });
    const caller = new AbortController();
    const calling = expect(client.get({ ...version, signal: caller.signal })).rejects.toMatchObject({
      code: 'proxmox_timeout',
    });
    await eventually('the request arrived', () => fake.calls.length === 1);
    caller.abort();
    await calling;
    expect(clock.pending()).toBe(0);
  });
});

describe('a kept connection that Proxmox closes under a request', () => {
  /** Answers the first request of a connection and closes it under the second one. */
  async function closesUnderTheSecond() {
    const used = new WeakSet<Socket>();
    const node = await aScriptedNode((request, response) => {
      if (used.has(request.socket)) request.socket.destroy();
      else good(response);
      used.add(request.socket);
    });
    const client = aClient(clusterConfig(node.url, node.caPem));
    await client.get(version);
    await setImmediate(); // now the connection is kept
    return { node, client };
  }

  test('costs a GET nothing: it is sent again', async () => {
    const { node, client } = await closesUnderTheSecond();
    expect(await client.get(version)).toEqual({ data: { version: '9' } });
    expect(node.requests).toHaveLength(3);
  });

  test('fails a POST, which nobody may repeat', async () => {
    const { node, client } = await closesUnderTheSecond();
    const post = { ...version, host: { base: new URL(node.url) }, form: { websocket: '1' } };
    await expect(client.post(post)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(node.requests).toEqual(['GET /api2/json/version', 'POST /api2/json/version']);
  });

  test('twice fails the GET, too', async () => {
    const node = await aScriptedNode((request) => void request.socket.destroy());
    const client = aClient(clusterConfig(node.url, node.caPem));
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(node.requests).toHaveLength(2);
  });
});

describe('several entry points', () => {
  async function twoEntries(config: Record<string, unknown> = {}) {
    const fake = await aCluster();
    const urls = [fake.url('pve1'), fake.url('pve2')];
    const clock = createFakeClock();
    return { fake, clock, client: aClient(clusterConfig(urls, fake.caPem, config), clock) };
  }
  const askedAt = (fake: FakeProxmox) => fake.calls.map(({ node }) => node);

  test('are asked in turn until one can be reached, also for a ticket', async () => {
    const { client, fake } = await twoEntries(byPassword);
    await fake.setNodeDown('pve1', true);
    await client.get(version);
    expect(askedAt(fake)).toEqual(['pve2', 'pve2']);
  });

  test('are asked in turn when one accepts and says nothing, as a host does that is going down', async () => {
    const { client, clock, fake } = await twoEntries();
    fake.failRequests(/GET \/version/, { noAnswer: true, times: 1 });
    const calling = client.get(version);
    await eventually('the request arrived', () => fake.calls.length === 1);
    clock.advance(15_000);
    expect(await calling).toMatchObject({ data: {} });
    expect(askedAt(fake)).toEqual(['pve1', 'pve2']);
  });

  test('that answered is asked first the next time', async () => {
    const { client, fake } = await twoEntries();
    await fake.setNodeDown('pve1', true);
    await client.get(version);
    await fake.setNodeDown('pve1', false);
    await client.get(version);
    await fake.setNodeDown('pve2', true);
    await client.get(version);
    expect(askedAt(fake)).toEqual(['pve2', 'pve2', 'pve1']);
  });

  test('are all asked before a call fails', async () => {
    const { client, fake } = await twoEntries();
    await Promise.all([fake.setNodeDown('pve1', true), fake.setNodeDown('pve2', true)]);
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('stand in for one whose own daemon is away', async () => {
    const { client, fake } = await twoEntries();
    fake.failRequests(/GET \/version/, { status: 595, message: 'Connection refused', times: 1 });
    expect(await client.get(version)).toMatchObject({ data: {} });
    expect(askedAt(fake)).toEqual(['pve1', 'pve2']);
  });

  test('stand in for one whose certificate is not the expected one, which gets no credential', async () => {
    const impostor = await aScriptedNode((_request, response) => good(response));
    const fake = await aCluster();
    const client = aClient(clusterConfig([impostor.url, fake.url('pve1')], fake.caPem));
    expect(await client.get(version)).toMatchObject({ data: { version: '9.2.11' } });
    expect(impostor.requests).toEqual([]);
  });

  test('do not stand in for each other where Proxmox refuses', async () => {
    const { client, fake } = await twoEntries();
    fake.failRequests(/GET \/version/, { status: 403, message: 'no' });
    await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_permission' });
    expect(askedAt(fake)).toEqual(['pve1']);
  });

  test('do not stand in for the host that was meant', async () => {
    const { client, fake } = await twoEntries();
    await fake.setNodeDown('pve2', true);
    const host = { base: new URL(fake.url('pve2')), nodeName: 'pve2' };
    await expect(client.get({ ...status, host })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(fake.calls).toEqual([]);
  });
});

describe('a host that does not answer', () => {
  const seenOf = (client: ProxmoxClient) => [...client.hostStates()];

  async function aDeadHost() {
    const fake = await aCluster();
    const cluster = clusterConfig(fake.url('pve1'), fake.caPem);
    const clock = createFakeClock();
    const changes: string[] = [];
    const seen: CallObservation[] = [];
    const client = createProxmoxClient({
      cluster,
      credential: cluster.credential,
      clock,
      random: (size) => Buffer.alloc(size, 255),
      onCallCompleted: (call) => seen.push(call),
      onHostStateChange: ({ host, state }) => changes.push(`${host} ${state}`),
    });
    closing.push(() => client.close());
    await fake.setNodeDown('pve1', true);
    // A GET is tried twice.
    for (let i = 0; i < 2; i++)
      await expect(client.get(version)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    return { fake, clock, client, changes, seen, host: new URL(fake.url('pve1')).host };
  }

  test('is left alone for a moment, with the reason that it had, and then asked again', async () => {
    const { fake, clock, client, changes, host } = await aDeadHost();
    expect(seenOf(client)).toEqual(['open']);
    await fake.setNodeDown('pve1', false);
    await expect(client.get(version)).rejects.toMatchObject({
      code: 'proxmox_unreachable',
      detail: expect.stringMatching(/left alone for a moment; last: .*ECONNREFUSED/),
    });
    expect(fake.calls).toEqual([]);
    clock.advance(6250);
    expect(await client.get(version)).toMatchObject({ data: {} });
    expect(changes).toEqual([`${host} open`, `${host} closed`]);
    expect(seenOf(client)).toEqual(['closed']);
  });

  test('is left alone by console sockets, too', async () => {
    const { client, fake } = await aDeadHost();
    await fake.setNodeDown('pve1', false);
    const { hostname, port } = new URL(fake.url('pve1'));
    await expect(client.dial({ host: hostname, port: Number(port) })).rejects.toMatchObject({
      code: 'proxmox_unreachable',
    });
  });

  test('is counted in calls without a status', async () => {
    const { seen } = await aDeadHost();
    expect(new Set(seen.map(({ call, status }) => `${call} ${status}`))).toEqual(
      new Set(['version undefined']),
    );
  });

  test('is not blamed for viewers who give up', async () => {
    const fake = await aCluster();
    const client = aClient(clusterConfig(fake.url('pve1'), fake.caPem));
    const { hostname, port } = new URL(fake.url('pve1'));
    for (let i = 0; i < 5; i++)
      await expect(
        client.dial({ host: hostname, port: Number(port) }, AbortSignal.abort()),
      ).rejects.toMatchObject({ code: 'proxmox_timeout' });
    expect(seenOf(client)).toEqual(['closed']);
  });
});

test.each([
  ['/cluster/resources?type=vm', 'resources'],
  ['/nodes/pve1/qemu/100/status/current', 'machine_status'],
  ['/nodes/pve1/lxc/100/vncproxy', 'console'],
  ['/nodes/pve1/qemu/100/status/shutdown', 'power'],
  ['/nodes/pve1/tasks/UPID:pve1:0:0:0:qmstart:100:a@pve:/status', 'task'],
  ['/access/ticket', 'sign_in'],
  ['/access/permissions?path=/vms/100', 'permissions'],
  ['/cluster/status', 'cluster_status'],
  ['/version', 'version'],
  ['/nodes/pve1/qemu/100/config', 'other'],
])('a call of %s is counted as %s', (path, name) => {
  expect(callNameOf(path)).toBe(name);
});
