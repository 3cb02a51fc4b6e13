import { byToken, gateway, startCluster, type Cluster, type UpgradeOptions } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const hurried = { unauthorizedDelayMs: 0 };
const refused = 'HTTP/1.1 401 permission denied - invalid PVEVNC ticket';
const upgraded = 'HTTP/1.1 101 Switching Protocols';

async function statusLineOf(options: UpgradeOptions): Promise<string> {
  const client = await cluster.upgrade(options);
  const head = await client.head();
  client.socket.destroy();
  return head.split('\r\n', 1)[0] ?? '';
}

test('a hardened Proxmox returns a password and puts it before the ticket', async () => {
  cluster = await startCluster();
  const { port, ticket, password, user } = await cluster.vncproxy();
  expect(port).toBe('5900');
  expect(user).toBe('gw@pve!console');
  expect(password).toMatch(/^[!-`]{8}$/);
  expect(ticket).toHaveLength(370);
  expect(ticket).toMatch(/^.{8}:PVEVNC:[0-9A-F]{8}::[A-Za-z0-9+/]{342}==$/);
  expect(ticket.slice(0, 8)).toBe(password);
});

test('an old Proxmox returns a bare ticket, whose beginning is the password', async () => {
  cluster = await startCluster({ mode: 'old' });
  const { port, ticket, password } = await cluster.vncproxy();
  expect(password).toBeUndefined();
  expect(ticket).toHaveLength(361);
  await (await cluster.upgrade({ port, ticket })).untilOutput('RFB');
  expect(cluster.guest.passwords).toEqual(['PVEVNC:6']);
  const { json } = await cluster.call('POST', '/nodes/pve1/qemu/100/vncproxy', {
    form: { 'generate-password': '1' },
  });
  expect(json.data.password).toHaveLength(8);
});

test('containers refuse generate-password, and get a password for a websocket only', async () => {
  cluster = await startCluster();
  const open = (form: Record<string, string>) =>
    cluster.call('POST', '/nodes/pve2/lxc/200/vncproxy', { form });
  expect(await open({ 'generate-password': '1' })).toMatchObject({ status: 400 });
  expect((await open({ width: '800', height: '600' })).json.data).not.toHaveProperty('password');
  expect((await open({ websocket: '1' })).json.data.password).toHaveLength(8);
});

test('a ticket that was not URL-encoded is refused', async () => {
  cluster = await startCluster({ ...hurried, mode: 'old' });
  const { port, ticket } = await cluster.vncproxy();
  expect(await statusLineOf({ query: `port=${port}&vncticket=${ticket}` })).toBe(refused);
  expect(await statusLineOf({ port, ticket })).toBe(upgraded);
});

test('a ticket is good for 39 seconds', async () => {
  cluster = await startCluster({ ...hurried, listenerWindowMs: 60_000 });
  const first = await cluster.vncproxy();
  const second = await cluster.vncproxy();
  cluster.clock.advance(39_000);
  expect(await statusLineOf(first)).toBe(upgraded);
  cluster.clock.advance(1000);
  expect(await statusLineOf(second)).toBe(refused);
});

test('a ticket is for one user, one token and one guest', async () => {
  const other = { tokenid: 'gw@pve!other', secret: 's2', privsep: false };
  cluster = await startCluster({
    ...hurried,
    tokens: [{ tokenid: 'gw@pve!console', secret: 's1', privsep: false }, other],
  });
  const asConsole = { authorization: 'PVEAPIToken=gw@pve!console=s1' };
  const { cookie } = await cluster.login();
  const { port, ticket } = await cluster.vncproxy('/nodes/pve1/qemu/100', { headers: asConsole });
  expect(await statusLineOf({ port, ticket, headers: { cookie } })).toBe(refused);
  expect(
    await statusLineOf({ port, ticket, headers: { authorization: 'PVEAPIToken=gw@pve!other=s2' } }),
  ).toBe(refused);
  expect(await statusLineOf({ port, ticket, headers: asConsole, path: '/nodes/pve2/lxc/200' })).toBe(refused);
  expect(await statusLineOf({ port, ticket, headers: asConsole })).toBe(upgraded);
});

test('a hardened Proxmox binds the port, and does not read what is before the ticket', async () => {
  cluster = await startCluster(hurried);
  const { port, ticket } = await cluster.vncproxy();
  await cluster.vncproxy();
  expect(await statusLineOf({ port: '5901', ticket })).toBe(refused);
  expect(await statusLineOf({ port, ticket: `12345678${ticket.slice(8)}` })).toBe(upgraded);
});

test('an old Proxmox does not bind the port', async () => {
  cluster = await startCluster({ mode: 'old' });
  const { ticket } = await cluster.vncproxy();
  await cluster.vncproxy();
  expect(await statusLineOf({ port: '5901', ticket })).toBe(upgraded);
});

test('the refusal of a ticket is held back for three seconds and has a JSON body', async () => {
  cluster = await startCluster();
  const client = await cluster.upgrade({ port: '5900', ticket: 'PVEVNC:00000000::AAAA' });
  await cluster.clock.untilSomethingWaits(3000);
  expect(client.bytes()).toHaveLength(0);
  cluster.clock.advance(3000);
  await client.untilEnded();
  expect(client.bytes().toString()).toContain(
    '\r\n\r\n{"data":null,"message":"permission denied - invalid PVEVNC ticket\\n"}',
  );
});

test('a signature longer than the key is an internal error', async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy();
  expect(await statusLineOf({ port, ticket: ticket.replace('==', 'AAAA') })).toMatch(
    /^HTTP\/1.1 500 Signature longer/,
  );
});

test.each([
  ['port=22&vncticket=x', 'port', 'value must have a minimum value of 5900'],
  ['port=6000&vncticket=x', 'port', 'value must have a maximum value of 5999'],
  ['vncticket=x', 'port', 'property is missing and it is not optional'],
  [`port=5900&vncticket=${'x'.repeat(513)}`, 'vncticket', 'value may only be 512 characters long'],
])('parameters are checked: %#', async (query, name, problem) => {
  cluster = await startCluster();
  const { json, status } = await cluster.call('GET', `/nodes/pve1/qemu/100/vncwebsocket?${query}`);
  expect(status).toBe(400);
  expect(json.errors).toEqual({ [name]: problem });
});

test('without an upgrade the call only repeats the port, and without VM.Console it is forbidden', async () => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy();
  const path = `/nodes/pve1/qemu/100/vncwebsocket?port=${port}&vncticket=${encodeURIComponent(ticket)}`;
  expect((await cluster.call('GET', path)).json).toEqual({ data: { port: '5900' } });
  cluster.fake.setAcl(gateway.userid, {});
  expect(await cluster.call('GET', path)).toMatchObject({ status: 403 });
});

test.each([
  [{ upgrade: 'h2c' }, "unable to upgrade to protocol 'h2c'"],
  [{ 'sec-websocket-version': '8' }, "unsupported websocket-version '8'"],
  [{ 'sec-websocket-key': '' }, 'missing websocket-key'],
])('a malformed upgrade is an internal error: %j', async (headers, reason) => {
  cluster = await startCluster();
  const { port, ticket } = await cluster.vncproxy();
  expect(await statusLineOf({ port, ticket, headers: { ...byToken, ...headers } })).toBe(
    `HTTP/1.1 500 ${reason}`,
  );
});
