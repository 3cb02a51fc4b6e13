import { constantSecret } from '@porthole/shared/config/secret';
import { relayToken, useRelayRigs } from '../rig.ts';
import { closeOf, expectClose } from './expect-close.ts';

const start = useRelayRigs();

test('4502: Proxmox refuses the token', async () => {
  const rig = await start({
    cluster: (url, caPem) => ({
      name: 'lab',
      urls: url,
      credential: { token: relayToken.id, secret: constantSecret('wrong') },
      tls: { caFile: constantSecret(caPem) },
    }),
  });
  await expectClose(rig, await rig.open(), 'proxmox_credential');
});

test('4502: the account lacks VM.Console', async () => {
  const rig = await start();
  rig.proxmox.setAcl('porthole@pve', { '/': ['VM.Audit', 'Sys.Audit'] });
  await expectClose(rig, await rig.open(), 'proxmox_permission');
});

test('4502: the certificate does not have the configured fingerprint', async () => {
  const rig = await start({
    cluster: (url) => ({
      name: 'lab',
      urls: url,
      credential: { token: relayToken.id, secret: constantSecret(relayToken.secret) },
      tls: { fingerprints: Array.from({ length: 32 }, () => 'AB').join(':') },
    }),
  });
  await expectClose(rig, await rig.open(), 'proxmox_tls');
});

test('4502: the response of Proxmox is invalid, also at the retry', async () => {
  const rig = await start();
  rig.proxmox.refuseVncproxy(100, { body: '<html>maintenance</html>' });
  await expectClose(rig, await rig.open(), 'proxmox_invalid_response');
});

test('a vncproxy that fails once for lack of a worker is retried, and the console opens', async () => {
  const rig = await start();
  rig.proxmox.refuseVncproxy(100, {
    status: 500,
    message: 'got no worker upid - start worker failed',
    times: 1,
  });
  const client = await rig.open();
  await client.rfb();
  expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy'))).toHaveLength(2);
  client.close();
});

test('4504: no Proxmox host can be reached', async () => {
  const rig = await start();
  await rig.proxmox.setNodeDown('pve1', true);
  await rig.proxmox.setNodeDown('pve2', true);
  await expectClose(rig, await rig.open(), 'proxmox_unreachable');
});

test('4504: Proxmox does not answer the request for a console in time', async () => {
  const rig = await start({ deadlines: { console: 300 } });
  rig.proxmox.refuseVncproxy(100, { noAnswer: true });
  await expectClose(rig, await rig.open(), 'proxmox_timeout');
});

test('4504: the console opens but sends nothing in time', async () => {
  const rig = await start({ deadlines: { firstByte: 300, authenticate: 300 } });
  rig.proxmox.stallConsole(100);
  expect(await (await rig.open()).closed).toEqual(closeOf('console_timeout'));
});

test('4504: the whole dial takes too long, though no step of it does', async () => {
  const rig = await start({ deadlines: { dial: 300 } });
  rig.proxmox.stallConsole(100);
  await expectClose(rig, await rig.open(), 'proxmox_timeout');
});

test('4504: the machine’s monitor hangs, so Proxmox closes the console without a byte', async () => {
  const rig = await start({ proxmox: { monitorHungMs: 50 } });
  rig.proxmox.hang(100);
  await expectClose(rig, await rig.open(), 'console_lost');
});

test('4504: Proxmox closes an open console although the machine runs', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  rig.proxmox.dropConsoles(100);
  await expectClose(rig, client, 'console_lost');
});

test.each(['ev', 'perl'] as const)(
  '4504: the console’s port is closed by the time of the upgrade (event loop %s)',
  async (eventLoop) => {
    const rig = await start({
      proxmox: { eventLoop, listenerWindowMs: 1, workerDeathMs: 50, vncproxyMs: 30 },
      deadlines: { connect: 500 },
    });
    const { code } = await (await rig.open()).closed;
    expect(code).toBe(4504);
  },
);
