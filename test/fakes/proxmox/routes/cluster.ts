import type { Machine } from '../machines.ts';
import type { ApiCall, Route } from '../route.ts';
import type { StatusCache } from '../status-cache.ts';

const gib = 1024 ** 3;

/** Calls about the cluster and its guests. */
export function clusterRoutes(statusCache: StatusCache): Route[] {
  return [
    {
      method: 'GET',
      path: '/version',
      run: ({ cluster }) =>
        cluster.settings.mode === 'new'
          ? { version: '9.2.11', release: '9.2', repoid: '14a22df3a1b2c3d4' }
          : { version: '8.4.1', release: '8.4', repoid: '2a5fa54a8503f96d' },
    },
    {
      method: 'GET',
      path: '/nodes',
      run: (call) =>
        listNodes(call).map((node) => ({
          ...node,
          ssl_fingerprint: call.cluster.nodes.get(node.node)?.fingerprint,
        })),
    },
    {
      method: 'GET',
      path: '/cluster/status',
      permission: { path: '/', privilege: 'Sys.Audit' },
      byDaemon: true,
      run: listMembers,
    },
    {
      method: 'GET',
      path: '/cluster/resources',
      schema: { type: { type: 'string', optional: true, values: ['vm', 'storage', 'node', 'sdn'] } },
      run(call) {
        const { type } = call.parameters;
        const guests = type === undefined || type === 'vm' ? listGuests(call, statusCache) : [];
        return [...guests, ...(type === undefined || type === 'node' ? listNodes(call) : [])];
      },
    },
    {
      method: 'GET',
      path: '/pools',
      schema: { poolid: { type: 'string', optional: true } },
      run({ cluster: { machines, permissions }, user }) {
        const pools = new Set([...machines.values()].flatMap(({ pool }) => pool ?? []));
        const visible = [...pools].filter((pool) => permissions.has(user, `/pool/${pool}`, 'Pool.Audit'));
        return visible.map((poolid) => ({ poolid }));
      },
    },
  ];
}

/** A node outside a cluster lists only itself, with number 0, and no cluster. */
function listMembers({ cluster, receiver }: ApiCall) {
  const { clusterName, nodes } = cluster;
  const members = [...nodes.values()].map(({ name, id, address, down }) => ({
    type: 'node',
    id: `node/${name}`,
    name,
    nodeid: clusterName === undefined ? 0 : id,
    ip: address,
    online: down ? 0 : 1,
    local: name === receiver.name ? 1 : 0,
    level: '',
  }));
  if (clusterName === undefined) return members;
  const whole = {
    type: 'cluster',
    id: 'cluster',
    name: clusterName,
    nodes: nodes.size,
    quorate: 1,
    version: 2,
  };
  return [whole, ...members];
}

function listNodes({ cluster, user }: ApiCall) {
  return [...cluster.nodes.values()].map(({ name, down }) => ({
    type: 'node',
    id: `node/${name}`,
    node: name,
    status: down ? 'offline' : 'online',
    level: '',
    ...(!down &&
      cluster.permissions.has(user, `/nodes/${name}`, 'Sys.Audit') && {
        cpu: 0.02,
        maxcpu: 8,
        mem: 8 * gib,
        maxmem: 32 * gib,
        disk: 4 * gib,
        maxdisk: 64 * gib,
        uptime: 86_400,
      }),
  }));
}

/** Only guests with VM.Audit: a user who has only VM.Console gets an empty list. */
function listGuests({ cluster: { machines, permissions }, user }: ApiCall, statusCache: StatusCache) {
  const visible = [...machines.values()].filter(({ vmid }) =>
    permissions.has(user, `/vms/${vmid}`, 'VM.Audit'),
  );
  return visible.map((machine) => ({
    ...statusCache.of(machine),
    ...identityOf(machine),
    ...(machine.pool !== undefined &&
      permissions.has(user, `/pool/${machine.pool}`, 'Pool.Audit') && { pool: machine.pool }),
  }));
}

/** From pmxcfs, so always current. */
function identityOf({ vmid, type, node, tags, lock }: Machine) {
  return {
    id: `${type}/${vmid}`,
    vmid,
    type,
    node,
    ...(lock !== undefined && { lock }),
    ...(tags.length > 0 && { tags: tags.join(';') }),
  };
}
