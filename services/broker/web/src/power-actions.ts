import { api, type MachineType, type PowerAction, type Problem } from './api.ts';

export interface PowerTarget {
  readonly cluster: string;
  readonly vmid: number;
  readonly name: string;
  readonly type: MachineType;
}

const pollIntervalMs = 1000;
const firstPollMs = 250;
/** A shutdown waits for the operating system. Proxmox gives up after three minutes at most. */
const maxPolls = 240;

/** Starts a power action and waits for its task. Returns undefined on success. Never rejects. */
export async function runPowerAction(
  { cluster, vmid }: PowerTarget,
  action: PowerAction,
): Promise<Problem | undefined> {
  const started = await api.power(cluster, vmid, action);
  if (!started.ok) return started.problem;
  for (let poll = 0; poll < maxPolls; poll++) {
    await new Promise((resolve) => setTimeout(resolve, poll === 0 ? firstPollMs : pollIntervalMs));
    const answer = await api.powerTask(cluster, vmid, started.value.task);
    if (!answer.ok) {
      // These say nothing about the task.
      if (answer.problem.code === 'network' || answer.problem.code === 'rate_limited') continue;
      return answer.problem;
    }
    const task = answer.value;
    if (task.state === 'done') return undefined;
    if (task.state !== 'failed') continue;
    const { code, title, requestId } = task;
    return { code, title, ...(requestId ? { requestId } : {}) };
  }
  return { code: 'power_timeout' };
}

/** The actions that make sense for a status. A machine that is neither running nor stopped can still be ended. */
export function availableActions(status: string, type: MachineType): readonly PowerAction[] {
  if (status === 'stopped') return ['start'];
  const ends: readonly PowerAction[] = ['shutdown', 'reboot', 'reset', 'stop'];
  return type === 'lxc' ? ends.filter((action) => action !== 'reset') : ends;
}

/** Actions that lose unsaved work. */
export const destructiveActions: ReadonlySet<PowerAction> = new Set(['reset', 'stop']);
