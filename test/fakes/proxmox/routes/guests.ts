import { sleep } from '@porthole/shared/time/clock';
import { ApiError } from '../answers.ts';
import { powerActions } from '../machines.ts';
import { machineOf, type Route } from '../route.ts';

const kinds = ['qemu', 'lxc'] as const;

/** One guest: status, configuration and power. Each node proxies these calls to the guest's node. */
export const guestRoutes: Route[] = kinds.flatMap((type): Route[] => [
  {
    method: 'GET',
    path: `/nodes/{node}/${type}/{vmid}/status/current`,
    permission: { path: '/vms/{vmid}', privilege: 'VM.Audit' },
    proxied: true,
    run(call) {
      const { vmid, name, running, hung, tags, template, startedAt } = machineOf(call, type);
      const status = running ? 'running' : 'stopped';
      return {
        vmid,
        name,
        status,
        ...(type === 'qemu' && { qmpstatus: status }),
        // What QEMU itself says: a QEMU that hangs says nothing.
        ...(type === 'qemu' && running && !hung && { 'running-qemu': '10.0.2' }),
        uptime: running ? Math.floor((call.cluster.clock.now() - startedAt) / 1000) : 0,
        ...(tags.length > 0 && { tags: tags.join(';') }),
        ...(template && { template: 1 }),
        cpus: 2,
        maxmem: 2 * 1024 ** 3,
        ha: { managed: 0 },
      };
    },
  },
  {
    method: 'GET',
    path: `/nodes/{node}/${type}/{vmid}/config`,
    schema: { current: { type: 'boolean', optional: true }, snapshot: { type: 'string', optional: true } },
    permission: { path: '/vms/{vmid}', privilege: 'VM.Audit' },
    proxied: true,
    run(call) {
      const { name, tags, template, terminal, vga } = machineOf(call, type);
      return {
        digest: '5f3c1d2b7e9a4c6d8f0b1a2c3d4e5f6071829304',
        cores: 2,
        memory: '2048',
        ...(type === 'qemu'
          ? { name, ...(terminal && { serial0: 'socket' }), ...(vga !== undefined && { vga }) }
          : { hostname: name }),
        ...(tags.length > 0 && { tags: tags.join(';') }),
        ...(template && { template: 1 }),
      };
    },
  },
  ...powerActions
    .filter((action) => type === 'qemu' || action !== 'reset')
    .map((action): Route => ({
      method: 'POST',
      path: `/nodes/{node}/${type}/{vmid}/status/${action}`,
      schema: {
        timeout: { type: 'integer', optional: true, minimum: 0 },
        skiplock: { type: 'boolean', optional: true },
        forceStop: { type: 'boolean', optional: true },
        keepActive: { type: 'boolean', optional: true },
      },
      permission: { path: '/vms/{vmid}', privilege: 'VM.PowerMgmt' },
      proxied: true,
      run(call) {
        const machine = machineOf(call, type);
        if (action === 'start' && machine.template)
          throw new ApiError(500, "you can't start a vm if it's a template");
        const task = {
          node: machine.node,
          type: `${type === 'qemu' ? 'qm' : 'vz'}${action}`,
          id: String(machine.vmid),
        };
        const { clock, settings, tasks } = call.cluster;
        const work =
          settings.powerMs === 0
            ? machine.power(action)
            : sleep(clock, settings.powerMs).then(() => machine.power(action));
        return tasks.start({ ...task, user: call.user }, work);
      },
    })),
]);
