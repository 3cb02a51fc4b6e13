import { constantSecret } from '@porthole/shared/config/secret';
import { relayToken, useRelayRigs, type RelayRig } from '../rig.ts';
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

describe('a console from which Proxmox sends no byte', () => {
  const silent = { vmid: 100, node: 'pve1', type: 'qemu', name: 'lab-100', running: true } as const;
  const calls = (rig: RelayRig, end: string) =>
    rig.proxmox.calls.filter(({ path }) => path.endsWith(end)).length;

  describe.each([
    ['which Proxmox closes', { vncSilenceMs: 50 }, {}],
    ['which Proxmox leaves open', { vncSilenceMs: 27_000 }, { firstByte: 200 }],
  ] as const)('%s', (_, settings, deadlines) => {
    test.each([
      ['4502: QEMU hangs', {}, 'console_unresponsive'],
      ['4405: the machine has no display', { vga: 'none' }, 'no_display'],
      [
        '4406: the machine has no display, but a serial port',
        { vga: 'none', terminal: true },
        'terminal_only',
      ],
    ] as const)('%s, and one attempt is enough to know', async (_name, guest, error) => {
      const rig = await start({ proxmox: { ...settings, guests: [{ ...silent, ...guest }] }, deadlines });
      if (error === 'console_unresponsive') rig.proxmox.hang(100);
      expect(await (await rig.open()).closed).toEqual(closeOf(error));
      expect(calls(rig, '/vncproxy')).toBe(1);
    });
  });

  test('4504: QEMU answers, so the cause is unknown, and another attempt follows', async () => {
    const rig = await start({ proxmox: { guests: [silent] } });
    await expectClose(rig, await rig.open(), 'console_lost');
    expect(calls(rig, '/vncproxy')).toBe(2);
  });

  test('4504: the machine’s configuration can’t be read', async () => {
    const rig = await start({ proxmox: { vncSilenceMs: 50, guests: [{ ...silent, vga: 'none' }] } });
    rig.proxmox.failRequests(/\/config$/, { status: 500, message: 'no quorum' });
    await expectClose(rig, await rig.open(), 'console_lost');
  });
});

test('a console that opens costs no request for the machine’s configuration', async () => {
  const rig = await start();
  const client = await rig.open();
  await client.rfb();
  expect(rig.proxmox.calls.map(({ path }) => path).filter((path) => path.includes('/config'))).toEqual([]);
  expect(rig.proxmox.calls.filter(({ path }) => path.endsWith('/status/current'))).toHaveLength(1);
  client.close();
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
