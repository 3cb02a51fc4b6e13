import { sleep } from '@porthole/shared/time/clock';
import { ApiError } from '../answers.ts';
import { powerActions, type Machine, type PowerAction } from '../machines.ts';
import { findMachine, missingConfig, type ApiCall, type Route } from '../route.ts';

type Type = Machine['type'];

/** Power of guests. Each node proxies these calls to the guest's node, where a task does the work. */
export const powerRoutes: Route[] = (['qemu', 'lxc'] as const).flatMap((type) =>
  powerActions
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
      byDaemon: true,
      run: (call) => startTask(call, type, action),
    })),
);

function startTask(call: ApiCall, type: Type, action: PowerAction): string {
  const { cluster, user } = call;
  const { node = '', vmid = '' } = call.parameters;
  const machine = findMachine(cluster, { node, vmid, type });
  const refusal = machine ? refusalOf(machine, action) : refusalOfMissing({ node, vmid, type }, action);
  if (refusal !== undefined) throw new ApiError(500, refusal);
  const work = async () => {
    if (cluster.settings.powerMs > 0) await sleep(cluster.clock, cluster.settings.powerMs);
    if (!machine && action === 'start') throw missingConfig(node, type, vmid);
    if (!machine) throw new Error(noConfigFor(vmid, node));
    await machine.power(action);
  };
  const kind = type === 'qemu' ? 'qm' : 'vz';
  return cluster.tasks.start({ node, type: `${kind}${action}`, id: vmid, user }, work());
}

/** What API2/Qemu.pm and API2/LXC.pm check before the task. Other errors are those of the task. */
function refusalOf({ type, vmid, running }: Machine, action: PowerAction): string | undefined {
  if (type === 'lxc' && action === 'start') return running ? `CT ${vmid} already running` : undefined;
  if (running) return undefined;
  if (type === 'lxc') return `CT ${vmid} not running`;
  return action === 'reset' || action === 'reboot' ? `VM ${vmid} not running` : undefined;
}

function refusalOfMissing(
  { node, vmid, type }: { node: string; vmid: string; type: Type },
  action: PowerAction,
): string | undefined {
  if (type === 'lxc') return action === 'start' ? undefined : `CT ${vmid} not running`;
  return action === 'reset' || action === 'reboot' ? noConfigFor(vmid, node) : undefined;
}

const noConfigFor = (vmid: string, node: string) =>
  `unable to find configuration file for VM ${vmid} on node '${node}'`;
