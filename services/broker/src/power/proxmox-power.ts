import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { taskStartedResponse, taskStatusResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { Machine } from '../machines/machine.ts';

export const powerActions = ['start', 'shutdown', 'reboot', 'reset', 'stop'] as const;
export type PowerAction = (typeof powerActions)[number];

/** How a task at Proxmox is doing. */
export type TaskState =
  { readonly state: 'running' | 'done' } | { readonly state: 'failed'; readonly error: PortholeError };

type Client = Pick<ProxmoxClient, 'get' | 'post'>;

/**
 * Tells the machine's node to do it and answers the UPID of the task: Proxmox says yes to everything that it may do,
 * and what came of it stands in the task.
 */
export async function beginPower(client: Client, machine: Machine, action: PowerAction): Promise<string> {
  const { node, type, vmid } = machine;
  const { data } = await client.post({
    path: `/nodes/${encodeURIComponent(node)}/${type}/${vmid}/status/${action}`,
    schema: taskStartedResponse,
    form: {},
  });
  return data;
}

export async function lookAtTask(client: Client, upid: string): Promise<TaskState> {
  const node = /^UPID:([^:]+):/.exec(upid)?.[1];
  if (node === undefined) throw new PortholeError('not_found', { detail: 'no task' });
  const { data } = await client.get({
    path: `/nodes/${encodeURIComponent(node)}/tasks/${encodeURIComponent(upid)}/status`,
    schema: taskStatusResponse,
  });
  if (data.status !== 'stopped') return { state: 'running' };
  const said = data.exitstatus ?? 'unknown';
  // What only warns has been done.
  if (said === 'OK' || said.startsWith('WARNINGS')) return { state: 'done' };
  return { state: 'failed', error: new PortholeError(meaningOf(said), { detail: said }) };
}

/** Proxmox's own words, in the order in which they are looked for. */
const meanings: readonly (readonly [RegExp, ErrorCode])[] = [
  [/already running/, 'machine_running'],
  [/not running/, 'machine_stopped'],
  [/is locked|can't lock file|got lock timeout/, 'machine_locked'],
  [/got timeout|timed out/, 'power_timeout'],
];

function meaningOf(said: string): ErrorCode {
  return meanings.find(([words]) => words.test(said))?.[1] ?? 'power_failed';
}

/** What a refused call means here: of a machine that has gone elsewhere, the next list of machines knows. */
export function asPowerError(thrown: unknown): PortholeError {
  const error = asPortholeError(thrown);
  if (error.code !== 'proxmox_invalid_response') return error;
  return new PortholeError(meaningOf(error.detail ?? ''), { cause: error });
}
