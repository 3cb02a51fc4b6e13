import type { ClusterConfig } from '@porthole/shared/config/schema';
import { createProxmoxClient, type ProxmoxClient } from '@porthole/shared/proxmox/client';
import { z } from 'zod';
import { createFakeClock, type FakeClock } from '../../fakes/clock.ts';
import type { FakeProxmox, FakeProxmoxOptions } from '../../fakes/proxmox/fake-proxmox.ts';
import { aProxmox, clusterConfig } from './cluster.ts';
import { startScriptedNode, type ScriptedNode } from './scripted-node.ts';

type ClientOptions = Omit<Parameters<typeof createProxmoxClient>[0], 'cluster' | 'credential' | 'clock'>;

/** Clients and servers of one test, closed in reverse order by `closeAll`. */
export function createClientHarness() {
  const closing: (() => Promise<unknown>)[] = [];

  function aClient(
    cluster: ClusterConfig,
    clock: FakeClock = createFakeClock(),
    options: ClientOptions = {},
  ): ProxmoxClient {
    const client = createProxmoxClient({ cluster, credential: cluster.credential, clock, ...options });
    closing.push(() => client.close());
    return client;
  }

  async function aCluster(options: FakeProxmoxOptions = {}): Promise<FakeProxmox> {
    const fake = await aProxmox(options);
    closing.push(() => fake.close());
    return fake;
  }

  async function aScriptedNode(handle: Parameters<typeof startScriptedNode>[0]): Promise<ScriptedNode> {
    const node = await startScriptedNode(handle);
    closing.push(() => node.close());
    return node;
  }

  return {
    aClient,
    aCluster,
    aScriptedNode,
    async aClientOfACluster(
      options: { cluster?: FakeProxmoxOptions; config?: Record<string, unknown> } = {},
    ) {
      const fake = await aCluster(options.cluster);
      const clock = createFakeClock();
      return { fake, clock, client: aClient(clusterConfig(fake.url(), fake.caPem, options.config), clock) };
    },
    async closeAll() {
      for (const close of closing.splice(0).toReversed()) await close();
    },
  };
}

export const versionCall = {
  path: '/version',
  schema: z.object({ data: z.object({ version: z.string() }) }),
};

export function signInsOf(fake: FakeProxmox): number {
  return fake.calls.filter(({ path }) => path.endsWith('/access/ticket')).length;
}
