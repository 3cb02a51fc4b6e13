import { Redis } from 'ioredis';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';

/** A Redis Cluster of three nodes, each with a third of the slots. */
export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly RedisServer[];
  /** A connection to each node for inspection. */
  readonly admins: readonly Redis[];
  stop(): Promise<void>;
}

const slots = 16_384;

export async function startRedisCluster(
  options: { readonly password?: string; readonly config?: readonly string[] } = {},
): Promise<RedisCluster> {
  const busPorts = await Promise.all([0, 1, 2].map(freePort));
  const servers = await Promise.all(
    busPorts.map((busPort) =>
      startRedisServer({
        ...options,
        config: [
          'cluster-enabled yes',
          `cluster-port ${busPort}`,
          'cluster-announce-ip 127.0.0.1',
          'cluster-node-timeout 2000',
          ...(options.password === undefined ? [] : [`masterauth "${options.password}"`]),
          ...(options.config ?? []),
        ],
      }),
    ),
  );
  const admins = servers.map(({ url }) => new Redis(url));
  for (const admin of admins) admin.on('error', () => {});
  const [first] = admins;
  if (!first) throw new Error('The cluster has no node.');
  await Promise.all(
    admins.map((admin, index) => {
      const from = Math.floor((slots * index) / admins.length);
      const to = Math.floor((slots * (index + 1)) / admins.length) - 1;
      return admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    }),
  );
  for (const [index, server] of servers.entries())
    if (index > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPorts[index] ?? 0);
  await Promise.all(
    admins.map((admin) =>
      eventually('the node knows the whole cluster', async () => {
        const info = await admin.cluster('INFO');
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      }),
    ),
  );
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    servers,
    admins,
    async stop() {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
