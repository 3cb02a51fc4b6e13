import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { dialTargetOf } from '@porthole/shared/proxmox/host';
import { statusResponse } from '@porthole/shared/proxmox/responses';
import { createFakeClock } from '../../fakes/clock.ts';
import type { FakeProxmox } from '../../fakes/proxmox/fake-proxmox.ts';
import { eventually } from '../../eventually.ts';
import { byPassword, clusterConfig } from './cluster.ts';
import { createClientHarness, versionCall } from './client-harness.ts';
import { respondWithVersion } from './scripted-node.ts';

const { aClient, aCluster, aScriptedNode, closeAll } = createClientHarness();
afterEach(closeAll);

async function twoEntryPoints(config: Record<string, unknown> = {}) {
  const fake = await aCluster();
  const urls = [fake.url('pve1'), fake.url('pve2')];
  const clock = createFakeClock();
  return { fake, clock, client: aClient(clusterConfig(urls, fake.caPem, config), clock) };
}

const calledNodes = (fake: FakeProxmox) => fake.calls.map(({ node }) => node);

describe('entry points', () => {
  test('are tried in turn until one is reachable, also for the sign-in', async () => {
    const { client, fake } = await twoEntryPoints(byPassword);
    await fake.setNodeDown('pve1', true);
    await client.get(versionCall);
    expect(calledNodes(fake)).toEqual(['pve2', 'pve2']);
  });

  test('are tried in turn if one accepts and does not respond, as a host does that shuts down', async () => {
    const { client, clock, fake } = await twoEntryPoints();
    fake.failRequests(/GET \/version/, { noAnswer: true, times: 1 });
    const calling = client.get(versionCall);
    await eventually('the request arrived', () => fake.calls.length === 1);
    clock.advance(15_000);
    expect(await calling).toMatchObject({ data: {} });
    expect(calledNodes(fake)).toEqual(['pve1', 'pve2']);
  });

  test('are tried from the one that responded last', async () => {
    const { client, fake } = await twoEntryPoints();
    await fake.setNodeDown('pve1', true);
    await client.get(versionCall);
    await fake.setNodeDown('pve1', false);
    await client.get(versionCall);
    await fake.setNodeDown('pve2', true);
    await client.get(versionCall);
    expect(calledNodes(fake)).toEqual(['pve2', 'pve2', 'pve1']);
  });

  test('are all tried before a call fails', async () => {
    const { client, fake } = await twoEntryPoints();
    await Promise.all([fake.setNodeDown('pve1', true), fake.setNodeDown('pve2', true)]);
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
  });

  test('are tried before one whose circuit breaker is open, so that a call does not wait for its probe', async () => {
    const fake = await aCluster();
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const clock = createFakeClock();
    const urls = [`https://127.0.0.1:${port}`, fake.url('pve1')];
    const client = aClient(clusterConfig(urls, fake.caPem), clock);
    try {
      // A host that accepts connections and never answers: each attempt, and later the probe, takes five seconds.
      const target = dialTargetOf({ base: new URL(`https://127.0.0.1:${port}`) });
      for (let i = 0; i < 3; i++) {
        const dialled = client.dial(target);
        clock.advance(5000);
        await expect(dialled).rejects.toMatchObject({ code: 'proxmox_timeout' });
      }
      clock.advance(1250);
      expect(client.hostStates()).toContain('half_open');
      expect(await client.get(versionCall)).toMatchObject({ data: {} });
      expect(client.entryPoint().base.href).toBe(new URL(fake.url('pve1')).href);
      expect(client.hostStates()).toContain('half_open');
    } finally {
      silent.close();
    }
  });

  test('replace one whose own daemon is unavailable', async () => {
    const { client, fake } = await twoEntryPoints();
    fake.failRequests(/GET \/version/, { status: 595, message: 'Connection refused', times: 1 });
    expect(await client.get(versionCall)).toMatchObject({ data: {} });
    expect(calledNodes(fake)).toEqual(['pve1', 'pve2']);
  });

  test('replace one whose certificate is not valid, which receives no request and is not preferred', async () => {
    const impostor = await aScriptedNode((_request, response) => respondWithVersion(response));
    const fake = await aCluster();
    const client = aClient(clusterConfig([impostor.url, fake.url('pve1')], fake.caPem));
    expect(await client.get(versionCall)).toMatchObject({ data: { version: '9.2.11' } });
    expect(impostor.requests).toEqual([]);
    expect(client.entryPoint().base.href).toBe(new URL(fake.url('pve1')).href);
  });

  test('do not replace one that refuses the call', async () => {
    const { client, fake } = await twoEntryPoints();
    fake.failRequests(/GET \/version/, { status: 403, message: 'no' });
    await expect(client.get(versionCall)).rejects.toMatchObject({ code: 'proxmox_permission' });
    expect(calledNodes(fake)).toEqual(['pve1']);
  });

  test('do not replace the host of a call', async () => {
    const { client, fake } = await twoEntryPoints();
    await fake.setNodeDown('pve2', true);
    const host = { base: new URL(fake.url('pve2')), nodeName: 'pve2' };
    const call = { path: '/nodes/pve1/qemu/100/status/current', schema: statusResponse, host };
    await expect(client.get(call)).rejects.toMatchObject({ code: 'proxmox_unreachable' });
    expect(fake.calls).toEqual([]);
  });
});
