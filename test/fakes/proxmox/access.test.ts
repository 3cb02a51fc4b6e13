import { byToken, gateway, gatewayToken, startCluster, type Cluster } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const credentials = { username: gateway.userid, password: gateway.password };
const login = (form: Record<string, string>) => cluster.call('POST', '/access/ticket', { headers: {}, form });
/** For refused calls: the 401 is not delayed. */
const hurried = { unauthorizedDelayMs: 0 };

test('a login gives a ticket that works as a cookie, raw or percent-encoded, and as a header', async () => {
  cluster = await startCluster();
  const { json, status } = await login(credentials);
  expect(status).toBe(200);
  const { ticket } = json.data;
  expect(ticket).toMatch(/^PVE:gw@pve:[0-9A-F]{8}::[A-Za-z0-9+/]{342}==$/);
  expect(json.data).toMatchObject({ username: 'gw@pve', cap: { vms: { 'VM.Console': 1 } } });
  for (const headers of [
    { cookie: `PVEAuthCookie=${ticket}` },
    { cookie: `theme=dark; PVEAuthCookie=${encodeURIComponent(ticket)}` },
    { authorization: `PVEAuthCookie=${ticket}` },
  ]) {
    expect((await cluster.call('GET', '/version', { headers })).status).toBe(200);
  }
});

test('a cookie after a semicolon without a space is ignored', async () => {
  cluster = await startCluster(hurried);
  const { cookie } = await cluster.login();
  expect(await cluster.call('GET', '/version', { headers: { cookie: `a=b;${cookie}` } })).toMatchObject({
    status: 401,
    reason: 'No ticket',
  });
});

test('a failed sign-in responds after three seconds with "authentication failure" only', async () => {
  cluster = await startCluster();
  let answered = false;
  const attempt = login({ ...credentials, password: 'wrong' }).finally(() => (answered = true));
  await cluster.clock.untilSomethingWaits(3000);
  cluster.clock.advance(2999);
  await cluster.call('GET', '/version');
  expect(answered).toBe(false);
  cluster.clock.advance(1);
  const reply = await attempt;
  expect(reply).toMatchObject({ status: 401, reason: 'authentication failure' });
  expect(reply.json).toEqual({ data: null, message: 'authentication failure\n' });
  expect(reply.headers['connection']).toBe('close');
});

test('a login without a password is a parameter error, at once', async () => {
  cluster = await startCluster();
  const reply = await login({ username: gateway.userid });
  expect(reply).toMatchObject({ status: 400, reason: 'Parameter verification failed.' });
  expect(reply.json.errors).toEqual({ password: 'property is missing and it is not optional' });
});

test('an API token may not log in', async () => {
  cluster = await startCluster();
  const reply = await cluster.call('POST', '/access/ticket', { form: credentials });
  const reason =
    "Permission check failed (URI '/access/ticket' not available with API token, need proper ticket.";
  expect(reply).toMatchObject({ status: 403, reason });
  expect(reply.json.message).toBe(`${reason}\n)\n`);
});

test('a login lists privileges by the first part of their path, and the name of the cluster', async () => {
  cluster = await startCluster({
    users: [
      { ...gateway, acl: { '/': ['VM.Audit', 'Sys.Audit', 'Sys.Console'], '/nodes/pve1': ['Sys.Console'] } },
    ],
  });
  const { json } = await login(credentials);
  expect(json.data).toMatchObject({
    clustername: 'porthole',
    cap: { vms: { 'VM.Audit': 1 }, nodes: { 'Sys.Audit': 1, 'Sys.Console': 1 } },
  });
  expect(json.data.cap.dc).toEqual({ 'Sys.Audit': 1 });
});

test('a ticket is valid for two hours and as a password for its renewal', async () => {
  cluster = await startCluster(hurried);
  const first = (await login(credentials)).json.data.ticket;
  cluster.clock.advance(7199_000);
  const second = (await login({ username: gateway.userid, password: first })).json.data.ticket;
  cluster.clock.advance(1000);
  const version = (ticket: string) =>
    cluster.call('GET', '/version', { headers: { cookie: `PVEAuthCookie=${ticket}` } });
  expect(await version(first)).toMatchObject({ status: 401, reason: 'Authentication failed!', body: '' });
  expect(await version(second)).toMatchObject({ status: 200 });
  cluster.fake.rotateKey();
  expect(await version(second)).toMatchObject({ status: 401 });
});

test('an old Proxmox names the reason of a refusal', async () => {
  cluster = await startCluster({ ...hurried, mode: 'old' });
  const reasonOf = async (headers: Record<string, string>) =>
    (await cluster.call('GET', '/version', { headers })).reason;
  expect(await reasonOf({ cookie: 'PVEAuthCookie=PVE:nonsense' })).toBe(
    'permission denied - invalid PVE ticket',
  );
  expect(await reasonOf({ authorization: 'PVEAPIToken=gw@pve!console=no' })).toBe('invalid token value!');
  expect(await reasonOf({ authorization: 'PVEAPIToken=gw@pve!nope=no' })).toBe(
    "no such token 'nope' for user 'gw@pve'",
  );
  expect(await reasonOf({ authorization: 'PVEAPIToken=nonsense' })).toBe('no tokenid specified');
});

test('a bad cookie is refused even with a valid token', async () => {
  cluster = await startCluster(hurried);
  const headers = { ...byToken, cookie: 'PVEAuthCookie=PVE:nonsense' };
  expect(await cluster.call('GET', '/version', { headers })).toMatchObject({ status: 401 });
});

test('a second factor takes a challenge, which is no cookie', async () => {
  const careful = { userid: 'careful@pve', password: 'pw', totp: '123456' };
  cluster = await startCluster({ ...hurried, users: [careful] });
  const first = await login({ username: 'careful@pve', password: 'pw' });
  expect(first.json.data).toMatchObject({ NeedTFA: 1 });
  expect(first.json.data).not.toHaveProperty('cap');
  const challenge = first.json.data.ticket;
  expect(challenge).toMatch(/^PVE:!tfa!%7B/);
  const asCookie = { headers: { cookie: `PVEAuthCookie=${encodeURIComponent(challenge)}` } };
  expect(await cluster.call('GET', '/version', asCookie)).toMatchObject({ status: 401 });
  const second = (password: string) =>
    login({ username: 'careful@pve', 'tfa-challenge': challenge, password });
  expect(await second('totp:000000')).toMatchObject({ status: 401 });
  expect((await second('totp:123456')).json.data).toHaveProperty('cap');
  const oneStep = await login({ username: 'careful@pve', password: 'pw', otp: 'totp:123456' });
  expect(oneStep.json.data).toHaveProperty('cap');
});

test('a ticket needs its CSRF token for everything but GET, and a token needs none', async () => {
  cluster = await startCluster(hurried);
  const { cookie, csrfpreventiontoken } = await cluster.login();
  const open = (headers: Record<string, string>) =>
    cluster.call('POST', '/nodes/pve1/qemu/100/vncproxy', { headers, form: { websocket: '1' } });
  expect(await open({ cookie })).toMatchObject({
    status: 401,
    reason: 'Permission denied - invalid csrf token',
    body: '',
  });
  expect(await open({ cookie, csrfpreventiontoken })).toMatchObject({ status: 200 });
  expect(await open(byToken)).toMatchObject({ status: 200 });
});

test('a token with separated privileges has what both it and its owner have', async () => {
  const separate = { tokenid: 'gw@pve!less', secret: 's1', acl: { '/vms/100': ['VM.Audit', 'Sys.Console'] } };
  cluster = await startCluster({ tokens: [separate] });
  const reply = await cluster.call('GET', '/access/permissions', {
    headers: { authorization: 'PVEAPIToken=gw@pve!less=s1' },
  });
  expect(reply.json.data).toEqual({ '/vms/100': { 'VM.Audit': 1 } });
});

test('privileges propagate down a path, are replaced by a deeper entry and extended by the pool', async () => {
  const acl = { '/': ['VM.Console', 'VM.Audit'], '/vms/101': ['VM.Audit'], '/pool/lab': ['VM.PowerMgmt'] };
  cluster = await startCluster({
    users: [{ userid: 'gw@pve', password: '', acl }],
    guests: [
      { vmid: 100, node: 'pve1', name: 'a' },
      { vmid: 101, node: 'pve1', name: 'b', pool: 'lab' },
    ],
  });
  const at = async (vmid: number) =>
    Object.keys(
      (await cluster.call('GET', `/access/permissions?path=/vms/${vmid}`)).json.data[`/vms/${vmid}`],
    );
  expect(await at(100)).toEqual(['VM.Console', 'VM.Audit']);
  expect(await at(101)).toEqual(['VM.Audit', 'VM.PowerMgmt']);
});

test('checks come in order: login, route, permission, parameters', async () => {
  cluster = await startCluster(hurried);
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = byToken) =>
    cluster.call('POST', path, { form, headers });
  expect(await post('/nosuch', {}, {})).toMatchObject({ status: 401, reason: 'No ticket' });
  expect(await post('/nosuch', {})).toMatchObject({
    status: 501,
    reason: "Method 'POST /nosuch' not implemented",
  });
  cluster.fake.setAcl(gateway.userid, {});
  const forbidden = await post('/nodes/pve1/qemu/999/vncproxy', { nonsense: '1' });
  expect(forbidden).toMatchObject({ status: 403, reason: 'Permission check failed (/vms/999, VM.Console)' });
  expect(forbidden.json.message).toBe('Permission check failed (/vms/999, VM.Console)\n');
  cluster.fake.setAcl(gateway.userid, { '/vms': ['VM.Console'] });
  expect(
    (await post('/nodes/pve1/qemu/999/vncproxy', { nonsense: '1', websocket: 'banana' })).json,
  ).toMatchObject({
    errors: {
      nonsense: 'property is not defined in schema and the schema does not allow additional properties',
      websocket: "type check ('boolean') failed - got 'banana'",
    },
  });
  expect(await post('/nodes/pve1/qemu/abc/vncproxy', {})).toMatchObject({ status: 400 });
  expect(await post('/nodes/pve1/qemu/999/vncproxy', {})).toMatchObject({
    status: 500,
    reason: "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist",
  });
});

test('all issued secrets are recorded, so that tests can search logs for them', async () => {
  cluster = await startCluster();
  const { cookie, csrfpreventiontoken } = await cluster.login();
  const { ticket, password } = await cluster.vncproxy();
  const expected = [
    decodeURIComponent(cookie.slice('PVEAuthCookie='.length)),
    csrfpreventiontoken,
    ticket,
    password,
  ];
  expect(cluster.fake.issuedSecrets()).toEqual(expect.arrayContaining([...expected, gatewayToken.secret]));
});

test('recovery keys are valid once, and eight wrong codes lock the app until one is used', async () => {
  const careful = { userid: 'careful@pve', password: 'pw', totp: '123456', recovery: ['k1', 'k2'] };
  cluster = await startCluster({ ...hurried, users: [careful] });
  const begin = async () => {
    const { ticket } = (await login({ username: 'careful@pve', password: 'pw' })).json.data;
    const kinds = JSON.parse(decodeURIComponent(/^PVE:!tfa!([^:]+):/.exec(ticket)?.[1] ?? ''));
    const answer = (password: string) =>
      login({ username: 'careful@pve', 'tfa-challenge': ticket, password });
    return { kinds, answer };
  };
  const first = await begin();
  expect(first.kinds).toEqual({ totp: true, recovery: [0, 1] });
  for (let time = 0; time < 8; time += 1) expect((await first.answer('totp:000000')).status).toBe(401);
  expect((await first.answer('totp:123456')).status).toBe(401);
  const locked = await begin();
  expect(locked.kinds).toEqual({ recovery: [0, 1] });
  expect((await locked.answer('recovery:k1')).status).toBe(200);
  expect((await locked.answer('recovery:k1')).status).toBe(401);
  const again = await begin();
  expect(again.kinds).toEqual({ totp: true, recovery: [1] });
  expect((await again.answer('totp:123456')).status).toBe(200);
});

test('a disabled account neither logs in nor renews its ticket', async () => {
  cluster = await startCluster(hurried);
  const { ticket } = (await login(credentials)).json.data;
  cluster.fake.setUserEnabled(gateway.userid, false);
  expect((await login(credentials)).status).toBe(401);
  expect((await login({ username: gateway.userid, password: ticket })).status).toBe(401);
  cluster.fake.setUserEnabled(gateway.userid, true);
  expect((await login(credentials)).status).toBe(200);
});

test('permissions list all paths with an entry for any account, except those without privileges', async () => {
  cluster = await startCluster({
    users: [
      {
        userid: 'gw@pve',
        password: '',
        acl: { '/vms': ['VM.Console'], '/vms/101': [], '/pool/lab': ['VM.Audit'], '/vms/103': [] },
      },
      { userid: 'other@pve', password: '', acl: { '/vms/102': ['VM.Audit'] } },
    ],
    guests: [100, 103].map((vmid) => ({ vmid, node: 'pve1', name: `g${vmid}`, pool: 'lab' })),
  });
  const { json } = await cluster.call('GET', '/access/permissions');
  expect(json.data).toEqual({
    '/vms': { 'VM.Console': 1 },
    // From the pool, so it does not propagate.
    '/vms/100': { 'VM.Console': 1, 'VM.Audit': 0 },
    '/vms/102': { 'VM.Console': 1 },
    '/pool/lab': { 'VM.Audit': 1 },
  });
  expect(await cluster.call('GET', '/access/permissions?userid=other@pve')).toMatchObject({
    status: 403,
    reason: 'Permission check failed (/access, Sys.Audit)',
  });
});
