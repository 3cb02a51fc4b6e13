import { eventually } from '../../eventually.ts';
import { useRelayRigs } from '../rig.ts';
import { expectClose } from './expect-close.ts';

const start = useRelayRigs();

test('4409: a console of a machine that is off closes without a request for a console to Proxmox', async () => {
  const rig = await start();
  await rig.guest.stop();
  await expectClose(rig, await rig.open(), 'machine_stopped');
  expect(rig.proxmox.calls.some(({ path }) => path.endsWith('/vncproxy'))).toBe(false);
});

test('4409: a console of a machine that stops while it is being opened closes as for one that is off', async () => {
  const rig = await start({ proxmox: { qmStartMs: 200 } });
  const client = await rig.open();
  await eventually('the dial authenticates', () =>
    client.messages.some((message) => message.type === 'opening' && message.step === 'authenticate'),
  );
  await rig.guest.stop();
  await expectClose(rig, client, 'machine_stopped');
});

test('1000: an open console closes when its machine shuts down', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  await rig.guest.shutdown();
  await expectClose(rig, client, 'machine_ended');
});

test('1000: an open console whose screen closes before Proxmox reports that the machine stopped is not lost', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  const status = `{"data":{"status":"running","vmid":100}}`;
  rig.proxmox.failRequests(/status\/current/, { body: status, times: 1 });
  await rig.guest.stop();
  await expectClose(rig, client, 'machine_ended');
});

test('4404: a console of a machine that was deleted closes as not found', async () => {
  const rig = await start();
  rig.proxmox.removeGuest(100);
  await expectClose(rig, await rig.open(), 'machine_not_found');
});

test('a console of a machine that has moved since the grant opens at the new node', async () => {
  const rig = await start();
  rig.proxmox.migrate(100, 'pve2');
  const client = await rig.open({ node: 'pve1' });
  await client.rfb();
  const call = rig.proxmox.calls.find(({ path }) => path.endsWith('/vncproxy'));
  expect(call?.node).toBe('pve2');
  client.close();
});

test('4404: an open console closes when its machine moves, and the next one opens at the new node', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  rig.proxmox.migrate(100, 'pve2');
  await expectClose(rig, client, 'machine_not_found');
  await (await rig.open()).rfb();
});
