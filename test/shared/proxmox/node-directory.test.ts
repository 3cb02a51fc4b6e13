import { statusResponse } from '@porthole/shared/proxmox/responses';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createNodeDirectory } from '@porthole/shared/proxmox/node-directory';
import { createFakeClock } from '../../fakes/clock.ts';
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
  const cluster = clusterConfig(fake.url('pve1'), fake.caPem, different);
  const client = createProxmoxClient({ cluster, credential: cluster.credential, clock });
  closing.push(() => client.close());
  const nodes = createNodeDirectory({ cluster, client, clock });
  const whereIs = async (node: string) => {
    const { base, nodeName } = await nodes.hostOf(node);
    return [base.origin, nodeName];
  };
  return { clock, nodes, whereIs };
}

const lookedUp = () => fake.calls.filter(({ path }) => path.endsWith('/cluster/status')).length;

describe('a node', () => {
  test('is where its cluster says, on the port of the entry point', async () => {
    const { whereIs } = aDirectory();
    const { port } = new URL(fake.url('pve1'));
    expect(await whereIs('pve1')).toEqual([`https://127.0.0.2:${port}`, 'pve1']);
    expect(await whereIs('pve2')).toEqual([`https://127.0.0.3:${port}`, 'pve2']);
  });

  test('is where the configuration says, and Proxmox is not asked', async () => {
    const { whereIs } = aDirectory({ nodes: { pve2: 'https://elsewhere:8006' } });
    expect(await whereIs('pve2')).toEqual(['https://elsewhere:8006', 'pve2']);
    expect(lookedUp()).toBe(0);
  });

  test('is looked up once a minute, and once for all who ask at the same time', async () => {
    const { clock, whereIs } = aDirectory();
    await Promise.all(['pve1', 'pve2', 'pve1'].map(whereIs));
    clock.advance(59_999);
    await whereIs('pve1');
    expect(lookedUp()).toBe(1);
    clock.advance(1);
    await whereIs('pve1');
    expect(lookedUp()).toBe(2);
  });

  test('is reached through the entry point when we may not know addresses, or nobody knows it', async () => {
    const { whereIs } = aDirectory();
    expect(await whereIs('pve9')).toEqual([fake.url('pve1'), undefined]);
    fake.setAcl(account.userid, { '/vms': ['VM.Console', 'VM.Audit'] });
    expect(await aDirectory().whereIs('pve2')).toEqual([fake.url('pve1'), undefined]);
  });

  test('is reached through another entry point when the first is away and no address is known', async () => {
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

  test('has a version 6 address in brackets', async () => {
    fake.failRequests(/GET \/cluster\/status/, {
      body: JSON.stringify({ data: [{ type: 'node', name: 'pve6', ip: '2001:db8::6' }] }),
    });
    const { port } = new URL(fake.url('pve1'));
    expect(await aDirectory().whereIs('pve6')).toEqual([`https://[2001:db8::6]:${port}`, 'pve6']);
  });

  test('can not be found while Proxmox does not answer', async () => {
    fake.failRequests(/GET \/cluster\/status/, { status: 500, message: 'no quorum' });
    await expect(aDirectory().nodes.hostOf('pve1')).rejects.toMatchObject({
      code: 'proxmox_invalid_response',
    });
  });

  test('whose address was known is found while Proxmox does not tell it', async () => {
    const { clock, whereIs } = aDirectory();
    const before = await whereIs('pve2');
    fake.failRequests(/GET \/cluster\/status/, { status: 500, message: 'no quorum' });
    clock.advance(60_000);
    expect(await whereIs('pve2')).toEqual(before);
    fake.failRequests(/GET \/cluster\/status/, null);
    await whereIs('pve2');
    expect(fake.calls.at(-1)).toMatchObject({ status: 200 });
  });
});
