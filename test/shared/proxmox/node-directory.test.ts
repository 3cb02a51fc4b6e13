import { statusResponse } from '@porthole/shared/proxmox/responses';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createNodeDirectory } from '@porthole/shared/proxmox/node-directory';
import { createFakeClock } from '../../fakes/clock.ts';
import { createCertificateAuthority } from '../../fakes/proxmox/certificates.ts';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { account, aProxmox, clusterConfig } from './cluster.ts';

let fake: FakeProxmox;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  fake = await aProxmox();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await fake.close();
});

function aDirectory(different: Record<string, unknown> = {}) {
  const clock = createFakeClock();
  const cluster = clusterConfig(fake.url(), fake.caPem, different);
  const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
  closing.push(() => client.close());
  const nodes = createNodeDirectory({ cluster, client, clock });
  const addressOf = async (node: string) => {
    const { base, nodeName } = await nodes.hostOf(node);
    return [base.origin, nodeName];
  };
  return { clock, nodes, addressOf };
}

const lookUps = () => fake.calls.filter(({ path }) => path.endsWith('/cluster/status')).length;

describe('a node', () => {
  test('has the address of cluster/status and the port of the entry point', async () => {
    const { addressOf } = aDirectory();
    const { port } = new URL(fake.url('pve1'));
    expect(await addressOf('pve1')).toEqual([`https://127.0.0.2:${port}`, 'pve1']);
    expect(await addressOf('pve2')).toEqual([`https://127.0.0.3:${port}`, 'pve2']);
  });

  test('that is in no cluster has its address, too', async () => {
    await fake.close();
    fake = await aProxmox({ nodes: [{ name: 'alone', address: '127.0.0.2' }], guests: [] });
    const { nodes } = aDirectory();
    const { base, nodeName } = await nodes.hostOf('alone');
    expect([base.hostname, nodeName]).toEqual(['127.0.0.2', 'alone']);
  });

  test('has the address of the configuration without a call to Proxmox', async () => {
    const { addressOf } = aDirectory({ nodes: { pve2: 'https://elsewhere:8006' } });
    expect(await addressOf('pve2')).toEqual(['https://elsewhere:8006', 'pve2']);
    expect(lookUps()).toBe(0);
  });

  test('is looked up once a minute, and once for concurrent calls', async () => {
    const { clock, addressOf } = aDirectory();
    await Promise.all(['pve1', 'pve2', 'pve1'].map(addressOf));
    clock.advance(59_999);
    await addressOf('pve1');
    expect(lookUps()).toBe(1);
    clock.advance(1);
    await addressOf('pve1');
    expect(lookUps()).toBe(2);
  });

  test('is reached through the entry point if Proxmox refuses cluster/status or does not list it', async () => {
    const { addressOf } = aDirectory();
    expect(await addressOf('pve9')).toEqual([fake.url('pve1'), undefined]);
    fake.setAcl(account.userid, { '/vms': ['VM.Console', 'VM.Audit'] });
    expect(await aDirectory().addressOf('pve2')).toEqual([fake.url('pve1'), undefined]);
  });

  test('is reached through another entry point if the first is unavailable and no address is known', async () => {
    fake.setAcl(account.userid, { '/vms': ['VM.Console', 'VM.Audit'] });
    const clock = createFakeClock();
    const cluster = clusterConfig([fake.url('pve1'), fake.url('pve2')], fake.caPem);
    const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
    closing.push(() => client.close());
    const nodes = createNodeDirectory({ cluster, client, clock });
    expect((await nodes.hostOf('pve2')).base.origin).toBe(fake.url('pve1'));
    await fake.setNodeDown('pve1', true);
    const call = { path: '/nodes/pve2/qemu/100/status/current', schema: statusResponse };
    for (let i = 0; i < 2; i++) {
      const host = await nodes.hostOf('pve2');
      await expect(client.get({ ...call, host })).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    }
    expect((await nodes.hostOf('pve2')).base.origin).toBe(fake.url('pve2'));
  });

  test('has brackets around an IPv6 address', async () => {
    fake.failRequests(/GET \/cluster\/status/, {
      body: JSON.stringify({ data: [{ type: 'node', name: 'pve6', ip: '2001:db8::6' }] }),
    });
    const { port } = new URL(fake.url('pve1'));
    expect(await aDirectory().addressOf('pve6')).toEqual([`https://[2001:db8::6]:${port}`, 'pve6']);
  });

  test('can not be found while the first look-up fails', async () => {
    fake.failRequests(/GET \/cluster\/status/, { status: 500, message: 'no quorum' });
    await expect(aDirectory().nodes.hostOf('pve1')).rejects.toMatchObject({
      code: 'proxmox_invalid_response',
    });
  });

  test('keeps its address while a later look-up fails', async () => {
    const { clock, addressOf } = aDirectory();
    const before = await addressOf('pve2');
    fake.failRequests(/GET \/cluster\/status/, { status: 500, message: 'no quorum' });
    clock.advance(60_000);
    expect(await addressOf('pve2')).toEqual(before);
    fake.failRequests(/GET \/cluster\/status/, null);
    await addressOf('pve2');
    expect(fake.calls.at(-1)).toMatchObject({ status: 200 });
  });

  test('is reached through the entry point if its address is not an IP address', async () => {
    fake.failRequests(/GET \/cluster\/status/, {
      body: JSON.stringify({
        data: ['elsewhere.example', '127.0.0.9:22', '', 'user@127.0.0.9'].map((ip, index) => ({
          type: 'node',
          name: `pve${index}`,
          ip,
        })),
      }),
    });
    const { addressOf } = aDirectory();
    for (let index = 0; index < 4; index++)
      expect(await addressOf(`pve${index}`)).toEqual([fake.url('pve1'), undefined]);
  });

  test('is looked up again after the CA file changed, and the former address is not used', async () => {
    let caPem = fake.caPem;
    const { addressOf } = aDirectory({ tls: { caFile: () => caPem } });
    const { port } = new URL(fake.url('pve1'));
    expect(await addressOf('pve2')).toEqual([`https://127.0.0.3:${port}`, 'pve2']);
    caPem = createCertificateAuthority().caPem;
    await expect(addressOf('pve2')).rejects.toMatchObject({ code: 'proxmox_tls' });
    caPem = `${fake.caPem}\n`;
    fake.failRequests(/GET \/cluster\/status/, {
      body: JSON.stringify({ data: [{ type: 'node', name: 'pve2', ip: '127.0.0.4' }] }),
    });
    expect(await addressOf('pve2')).toEqual([`https://127.0.0.4:${port}`, 'pve2']);
  });
});
