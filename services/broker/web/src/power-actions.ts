import { api, type MachineType, type PowerAction, type Problem } from './api.ts';

export interface PowerTarget {
  readonly cluster: string;
  readonly vmid: number;
  readonly name: string;
  readonly type: MachineType;
}

const pollIntervalMs = 1000;
/** A shutdown waits for the system of the machine; Proxmox itself gives up after three minutes at most. */
const maxPolls = 240;

/** Does it and waits for what comes of it. Never rejects: undefined when it is done, or what went wrong. */
export async function runPowerAction(
  { cluster, vmid }: PowerTarget,
  action: PowerAction,
): Promise<Problem | undefined> {
  const begun = await api.power(cluster, vmid, action);
  if (!begun.ok) return begun.problem;
  for (let look = 0; look < maxPolls; look++) {
    await new Promise((resolve) => setTimeout(resolve, look === 0 ? 250 : pollIntervalMs));
    const seen = await api.powerTask(cluster, vmid, begun.value.task);
    // One look that fails says nothing of the task.
    if (!seen.ok && seen.problem.code !== 'network' && seen.problem.code !== 'rate_limited')
      return seen.problem;
    if (!seen.ok) continue;
    const task = seen.value;
    if (task.state === 'done') return undefined;
    if (task.state !== 'failed') continue;
    const { code, title, requestId } = task;
    return { code, title, ...(requestId ? { requestId } : {}) };
  }
  return { code: 'power_timeout' };
}

/** What makes sense now. A state that is neither on nor off may still be ended. */
export function availableActions(status: string, type: MachineType): readonly PowerAction[] {
  if (status === 'stopped') return ['start'];
  const ends: readonly PowerAction[] = ['shutdown', 'reboot', 'reset', 'stop'];
  return type === 'lxc' ? ends.filter((action) => action !== 'reset') : ends;
}

/** Those after which unsaved work is lost. */
export const destructiveActions: ReadonlySet<PowerAction> = new Set(['reset', 'stop']);
