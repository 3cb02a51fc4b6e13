import type { Machine } from '../machines.ts';
import { idleUsage } from '../usage.ts';
import { machineOf, type Route } from '../route.ts';

const kinds = ['qemu', 'lxc'] as const;

/** One guest: status and configuration. Each node proxies these calls to the guest's node. */
export const guestRoutes: Route[] = kinds.flatMap((type): Route[] => [
  {
    method: 'GET',
    path: `/nodes/{node}/${type}/{vmid}/status/current`,
    permission: { path: '/vms/{vmid}', privilege: 'VM.Audit' },
    proxied: true,
    byDaemon: true,
    run: (call) => statusOf(machineOf(call, type), call.cluster.clock.now()),
  },
  {
    method: 'GET',
    path: `/nodes/{node}/${type}/{vmid}/config`,
    schema: { current: { type: 'boolean', optional: true }, snapshot: { type: 'string', optional: true } },
    permission: { path: '/vms/{vmid}', privilege: 'VM.Audit' },
    proxied: true,
    run(call) {
      const { name, tags, template, lock, terminal, vga } = machineOf(call, type);
      return {
        digest: '5f3c1d2b7e9a4c6d8f0b1a2c3d4e5f6071829304',
        cores: 2,
        memory: '2048',
        ...(type === 'qemu'
          ? { name, ...(terminal && { serial0: 'socket' }), ...(vga !== undefined && { vga }) }
          : { hostname: name }),
        ...(tags.length > 0 && { tags: tags.join(';') }),
        ...(template && { template: 1 }),
        ...(lock !== undefined && { lock }),
      };
    },
  },
]);

/** The fields of PVE::QemuServer and PVE::LXC, vmstatus, that do not depend on optional devices. */
function statusOf(machine: Machine, now: number) {
  const { type, vmid, name, running, hung, tags, template, lock, startedAt } = machine;
  const status = running ? 'running' : 'stopped';
  return {
    vmid,
    name,
    status,
    uptime: running ? Math.floor((now - startedAt) / 1000) : 0,
    cpus: 2,
    ...idleUsage,
    ...(running && { pid: 4000 + vmid }),
    ...(type === 'qemu' ? { qmpstatus: status } : { type, swap: 0, maxswap: 512 * 1024 ** 2 }),
    // What QEMU itself says: a QEMU that hangs says nothing.
    ...(type === 'qemu' && running && !hung && { 'running-qemu': '10.0.2' }),
    ...(tags.length > 0 && { tags: tags.join(';') }),
    ...(template && { template: 1 }),
    ...(lock !== undefined && { lock }),
    ha: { managed: 0 },
  };
}
