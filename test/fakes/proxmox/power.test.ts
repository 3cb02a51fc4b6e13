import { gateway, startCluster, type Cluster } from './test-kit.ts';
import { until } from './watched-clock.ts';

let cluster: Cluster;
afterEach(() => cluster.fake.close());

const power = (action: string, guest = 'qemu/100', node = 'pve1') =>
  cluster.call('POST', `/nodes/${node}/${guest}/status/${action}`);

/** The status of a task that has ended. */
async function outcomeOf(upid: string) {
  const node = upid.split(':')[1];
  for (;;) {
    const path = `/nodes/${node}/tasks/${encodeURIComponent(upid)}/status`;
    const { data } = (await cluster.call('GET', path)).json;
    if (data.status === 'stopped') return data;
  }
}

test('power calls drive the guest and answer with a task', async () => {
  cluster = await startCluster();
  const stopping = await power('stop');
  expect(stopping.json.data).toMatch(
    /^UPID:pve1:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:qmstop:100:gw@pve!console:$/,
  );
  expect(await outcomeOf(stopping.json.data)).toMatchObject({ exitstatus: 'OK' });
  expect(cluster.guest.running).toBe(false);
  await power('start');
  await until(() => cluster.guest.running);
  expect(await power('reset', 'lxc/200', 'pve2')).toMatchObject({ status: 501 });
  cluster.fake.setAcl(gateway.userid, { '/vms': ['VM.Console'] });
  expect(await power('stop')).toMatchObject({ status: 403 });
});

test('a reset of a stopped machine is refused at once, and other actions fail as tasks', async () => {
  cluster = await startCluster();
  await cluster.guest.stop();
  expect(await power('reset')).toMatchObject({ status: 500, reason: 'VM 100 not running' });
  expect(await power('reboot')).toMatchObject({ status: 500, reason: 'VM 100 not running' });
  expect(await power('shutdown', 'lxc/200', 'pve2')).toMatchObject({
    status: 500,
    reason: 'CT 200 not running',
  });
  await cluster.guest.start();
  expect(await power('start', 'lxc/200', 'pve2')).toMatchObject({
    status: 500,
    reason: 'CT 200 already running',
  });
  const starting = await power('start');
  expect(await outcomeOf(starting.json.data)).toMatchObject({ exitstatus: 'VM 100 already running' });
});

test.each([
  ['start', 'qemu/999', "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist"],
  ['start', 'lxc/999', "Configuration file 'nodes/pve1/lxc/999.conf' does not exist"],
  ['stop', 'qemu/999', "unable to find configuration file for VM 999 on node 'pve1'"],
  ['shutdown', 'qemu/999', "unable to find configuration file for VM 999 on node 'pve1'"],
])('%s of %s, which does not exist, is accepted, and its task fails', async (action, guest, exitstatus) => {
  cluster = await startCluster();
  const reply = await power(action, guest);
  expect(reply.status).toBe(200);
  expect(await outcomeOf(reply.json.data)).toMatchObject({ id: '999', exitstatus });
});

test.each([
  ['reset', 'qemu/999', "unable to find configuration file for VM 999 on node 'pve1'"],
  ['stop', 'lxc/999', 'CT 999 not running'],
])('%s of %s, which does not exist, is refused at once', async (action, guest, reason) => {
  cluster = await startCluster();
  expect(await power(action, guest)).toMatchObject({ status: 500, reason });
});

test('the start of a template fails as a task', async () => {
  cluster = await startCluster({ guests: [{ vmid: 100, node: 'pve1', name: 'a', template: true }] });
  const starting = await power('start');
  expect(await outcomeOf(starting.json.data)).toMatchObject({
    exitstatus: "you can't start a vm if it's a template",
  });
});
