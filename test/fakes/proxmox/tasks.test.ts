import { byToken, gateway, startCluster, type Cluster } from './test-kit.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const task = (upid: string, what = 'status', headers: Record<string, string> = byToken) =>
  cluster.call('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/${what}`, { headers });

const stop = async (headers: Record<string, string> = byToken): Promise<string> => {
  const { json } = await cluster.call('POST', '/nodes/pve1/qemu/100/status/stop', { headers });
  return json.data;
};

test('a task that a token started names the owner and the token apart', async () => {
  cluster = await startCluster();
  const { json } = await task(await stop());
  expect(json.data).toMatchObject({ type: 'qmstop', id: '100', user: 'gw@pve', tokenid: 'console' });
  const login = await cluster.login();
  const byUser = await task(await stop(login));
  expect(byUser.json.data).toMatchObject({ user: 'gw@pve' });
  expect(byUser.json.data).not.toHaveProperty('tokenid');
});

test('a user reads the tasks of their tokens, but a token not those of its owner', async () => {
  cluster = await startCluster({ users: [{ ...gateway, acl: { '/vms': ['VM.PowerMgmt'] } }] });
  const login = await cluster.login();
  expect(await task(await stop(), 'status', login)).toMatchObject({ status: 200 });
  const refused = { status: 403, reason: 'Permission check failed (/nodes/pve1, Sys.Audit)' };
  const upid = await stop(login);
  expect(await task(upid)).toMatchObject(refused);
  expect(await task(upid, 'log')).toMatchObject(refused);
});

test.each(['status', 'log'])('the %s of a text that is no UPID is a parameter error', async (what) => {
  cluster = await startCluster();
  const reply = await task('UPID:nonsense', what);
  expect(reply).toMatchObject({ status: 400, reason: 'Parameter verification failed.' });
  expect(reply.json.errors).toEqual({ upid: 'unable to parse worker upid' });
});

test('a task of which the node knows nothing is a parameter error, and its log says so', async () => {
  cluster = await startCluster();
  const upid = 'UPID:pve1:0000AAAA:00000000:6920F000:qmstop:100:gw@pve!console:';
  expect((await task(upid)).json.errors).toEqual({ upid: 'no such task' });
  expect((await task(upid, 'log')).json).toMatchObject({
    data: [{ n: 1, t: 'unable to open file - No such file or directory' }],
    total: 1,
  });
});

test('the log of a task ends with its outcome, and says how many lines there are', async () => {
  cluster = await startCluster({ powerMs: 1000 });
  const upid = await stop();
  expect((await task(upid, 'log')).json).toEqual({ data: [{ n: 1, t: 'no content' }], total: 1 });
  cluster.clock.advance(1000);
  while ((await task(upid)).json.data.status === 'running') await new Promise(setImmediate);
  expect((await task(upid, 'log')).json).toEqual({ data: [{ n: 1, t: 'TASK OK' }], total: 1 });
  expect((await task(upid, 'log?start=1')).json).toEqual({ data: [], total: 1 });

  const failing = await cluster.call('POST', '/nodes/pve1/qemu/999/status/start');
  cluster.clock.advance(1000);
  while ((await task(failing.json.data)).json.data.status === 'running') await new Promise(setImmediate);
  expect((await task(failing.json.data, 'log')).json.data).toEqual([
    { n: 1, t: "TASK ERROR: Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist" },
  ]);
});
