import { byToken, gateway, startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const resources = async () => (await cluster.call('GET', '/cluster/resources?type=vm')).json.data;

test('the list of guests shows what VM.Audit shows, and nothing for VM.Console alone', async () => {
  cluster = await startCluster();
  expect(await resources()).toMatchObject([
    { id: 'qemu/100', vmid: 100, type: 'qemu', node: 'pve1', name: 'alpha', status: 'running', template: 0 },
    { id: 'lxc/200', vmid: 200, type: 'lxc', node: 'pve2', name: 'beta', status: 'running' },
  ]);
  cluster.fake.setAcl(gateway.userid, { '/vms': ['VM.Console'], '/vms/200': ['VM.Audit'] });
  expect(await resources()).toMatchObject([{ vmid: 200 }]);
});

test('tags are one string, and the pool takes Pool.Audit', async () => {
  const guests = [{ vmid: 100, node: 'pve1', name: 'a', tags: ['lab', 'blue'], pool: 'p', template: true }];
  cluster = await startCluster({ guests });
  const [guest] = await resources();
  expect(guest).toMatchObject({ tags: 'lab;blue', template: 1, status: 'stopped' });
  expect(guest).not.toHaveProperty('pool');
  cluster.fake.setAcl(gateway.userid, { '/': ['VM.Audit', 'Pool.Audit'] });
  expect(await resources()).toMatchObject([{ pool: 'p' }]);
  expect((await cluster.call('GET', '/pools')).json.data).toEqual([{ poolid: 'p' }]);
});

test('status and name in the list are up to ten seconds old, the node is current', async () => {
  cluster = await startCluster();
  await cluster.guest.stop();
  cluster.fake.rename(100, 'omega');
  cluster.fake.migrate(100, 'pve2');
  expect(await resources()).toMatchObject([{ node: 'pve2', status: 'running', name: 'alpha' }, {}]);
  const current = await cluster.call('GET', '/nodes/pve2/qemu/100/status/current');
  expect(current.json.data).toMatchObject({ status: 'stopped', qmpstatus: 'stopped', name: 'omega' });
  cluster.clock.advance(10_000);
  expect(await resources()).toMatchObject([{ node: 'pve2', status: 'stopped', name: 'omega' }, {}]);
});

test('a guest asked for on the wrong node does not exist', async () => {
  cluster = await startCluster();
  expect(await cluster.call('GET', '/nodes/pve2/qemu/100/status/current')).toMatchObject({
    status: 500,
    reason: "Configuration file 'nodes/pve2/qemu-server/100.conf' does not exist",
  });
});

test('any node answers for any other', async () => {
  cluster = await startCluster();
  const reply = await cluster.call('GET', '/nodes/pve1/qemu/100/status/current', { node: 'pve2' });
  expect(reply.json.data).toMatchObject({ status: 'running' });
});

test('a dead node does not respond, and the other nodes respond with 595 for it', async () => {
  cluster = await startCluster();
  await cluster.fake.setNodeDown('pve1', true);
  await expect(cluster.call('GET', '/version')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const pending = cluster.call('GET', '/nodes/pve1/qemu/100/status/current', { node: 'pve2' });
  await cluster.clock.untilSomethingWaits(3000);
  cluster.clock.advance(3000);
  expect(await pending).toMatchObject({ status: 595, reason: 'No route to host' });
  const { json } = await cluster.call('GET', '/cluster/status', { node: 'pve2' });
  expect(json.data).toMatchObject([
    { type: 'cluster' },
    { name: 'pve1', ip: '127.0.0.2', online: 0, local: 0 },
    { name: 'pve2', ip: '127.0.0.3', online: 1, local: 1 },
  ]);
  await cluster.fake.setNodeDown('pve1', false);
  expect(await cluster.call('GET', '/version')).toMatchObject({ status: 200 });
});

test('guests of a dead node keep their status for five minutes, and then have not even a name', async () => {
  cluster = await startCluster();
  await cluster.fake.setNodeDown('pve1', true);
  const list = async () =>
    (await cluster.call('GET', '/cluster/resources?type=vm', { node: 'pve2' })).json.data;
  cluster.clock.advance(5 * 60_000);
  expect(await list()).toMatchObject([
    { vmid: 100, status: 'running', name: 'alpha' },
    { status: 'running' },
  ]);
  cluster.clock.advance(10_000);
  expect((await list())[0]).toEqual({
    id: 'qemu/100',
    vmid: 100,
    type: 'qemu',
    node: 'pve1',
    status: 'unknown',
  });
});

test('a guest that pvestatd has not seen yet has no name and no figures', async () => {
  cluster = await startCluster();
  await cluster.fake.addGuest({ vmid: 300, node: 'pve1', name: 'new', tags: ['lab'] });
  const found = (await resources()).find(({ vmid }: { vmid: number }) => vmid === 300);
  expect(found).toEqual({
    id: 'qemu/300',
    vmid: 300,
    type: 'qemu',
    node: 'pve1',
    status: 'unknown',
    tags: 'lab',
  });
  cluster.fake.refreshStatus();
  expect(await resources()).toContainEqual(
    expect.objectContaining({ vmid: 300, name: 'new', status: 'running', template: 0 }),
  );
});

test('status calls have the figures that Proxmox reports, and the lock of a running operation', async () => {
  cluster = await startCluster();
  cluster.fake.lock(100, 'backup');
  const figures = [
    'cpu',
    'mem',
    'maxmem',
    'disk',
    'maxdisk',
    'netin',
    'netout',
    'diskread',
    'diskwrite',
    'uptime',
  ];
  const [listed] = await resources();
  const { json } = await cluster.call('GET', '/nodes/pve1/qemu/100/status/current');
  for (const answer of [listed, json.data]) {
    expect(answer).toMatchObject({ lock: 'backup' });
    for (const name of figures) expect(answer[name]).toEqual(expect.any(Number));
  }
  const config = await cluster.call('GET', '/nodes/pve1/qemu/100/config');
  expect(config.json.data).toMatchObject({ lock: 'backup' });
  const container = await cluster.call('GET', '/nodes/pve2/lxc/200/status/current');
  expect(container.json.data).toMatchObject({ type: 'lxc', swap: 0 });
  expect(container.json.data).not.toHaveProperty('qmpstatus');
});

test('only the list of nodes has fingerprints, not the list of resources', async () => {
  cluster = await startCluster();
  const nodes = (await cluster.call('GET', '/cluster/resources?type=node')).json.data;
  expect(nodes).toMatchObject([{ node: 'pve1', status: 'online', maxcpu: 8 }, { node: 'pve2' }]);
  for (const node of nodes) expect(node).not.toHaveProperty('ssl_fingerprint');
});

test('a node that is in no cluster lists only itself, with number 0, and its logins name no cluster', async () => {
  const nodes = [{ name: 'pve1', address: '127.0.0.2' }];
  cluster = await startCluster({ nodes, guests: [] });
  const { json } = await cluster.call('GET', '/cluster/status');
  expect(json.data).toEqual([
    {
      type: 'node',
      id: 'node/pve1',
      name: 'pve1',
      nodeid: 0,
      ip: '127.0.0.2',
      online: 1,
      local: 1,
      level: '',
    },
  ]);
  const login = await cluster.call('POST', '/access/ticket', {
    headers: {},
    form: { username: gateway.userid, password: gateway.password },
  });
  expect(login.json.data).toMatchObject({ cap: { dc: { 'Sys.Audit': 1 } } });
  expect(login.json.data).not.toHaveProperty('clustername');
});

test('a container on a node that does not exist is looked up by host name first', async () => {
  cluster = await startCluster();
  const open = (path: string) => cluster.call('POST', `/nodes/nowhere/${path}/vncproxy`);
  expect((await open('lxc/200')).reason).toMatch(/^hostname lookup 'nowhere' failed - /);
  expect((await open('qemu/100')).reason).toBe(
    "Configuration file 'nodes/nowhere/qemu-server/100.conf' does not exist",
  );
});

test('configuration tells whether there is a serial terminal and which display', async () => {
  cluster = await startCluster({
    guests: [{ vmid: 100, node: 'pve1', name: 'a', terminal: true, vga: 'none' }],
  });
  const { json } = await cluster.call('GET', '/nodes/pve1/qemu/100/config');
  expect(json.data).toMatchObject({ name: 'a', serial0: 'socket', vga: 'none' });
});

test('a fault replaces the response as often as set: an error, garbage or no response', async () => {
  cluster = await startCluster();
  const open = () => cluster.call('POST', '/nodes/pve1/qemu/100/vncproxy', { form: { websocket: '1' } });
  const message = 'got no worker upid - start worker failed';
  cluster.fake.refuseVncproxy(100, { status: 500, message, times: 1 });
  expect(await open()).toMatchObject({ status: 500, reason: message });
  expect(await open()).toMatchObject({ status: 200 });
  cluster.fake.refuseVncproxy(100, { body: '<html>' });
  expect(await open()).toMatchObject({ status: 200, body: '<html>' });
  cluster.fake.refuseVncproxy(100, null);
  cluster.fake.failRequests(/^GET \/version$/, { noAnswer: true });
  let answered = false;
  const waiting = cluster.call('GET', '/version').finally(() => (answered = true));
  await until(() =>
    cluster.fake.calls.some(({ path, status }) => path === '/api2/json/version' && status === 0),
  );
  expect(await open()).toMatchObject({ status: 200 });
  expect(answered).toBe(false);
  cluster.fake.killWorker('pve1');
  await expect(waiting).rejects.toThrow();
});

test('every request is recorded without its query', async () => {
  cluster = await startCluster();
  await cluster.call('GET', '/cluster/resources?type=vm', { node: 'pve2', headers: byToken });
  expect(cluster.fake.calls).toEqual([
    {
      node: 'pve2',
      method: 'GET',
      path: '/api2/json/cluster/resources',
      status: 200,
      user: 'gw@pve!console',
    },
  ]);
});
