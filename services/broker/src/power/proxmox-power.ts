import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { saysMachineIsMissing } from '@porthole/shared/proxmox/missing-machine';
import { taskStartedResponse, taskStatusResponse } from '@porthole/shared/proxmox/responses';
import type { Machine } from '../machines/machine.ts';

export const powerActions = ['start', 'shutdown', 'reboot', 'reset', 'stop'] as const;
export type PowerAction = (typeof powerActions)[number];

export type TaskState =
  { readonly state: 'running' | 'done' } | { readonly state: 'failed'; readonly error: PortholeError };

type Client = Pick<ProxmoxClient, 'get' | 'post'>;

/** Starts a power task, and returns its UPID. Proxmox reports most errors only in the status of the task. */
export async function startPowerTask(client: Client, machine: Machine, action: PowerAction): Promise<string> {
  const { node, type, vmid } = machine;
  const { data } = await client.post({
    path: `/nodes/${encodeURIComponent(node)}/${type}/${vmid}/status/${action}`,
    schema: taskStartedResponse,
    form: {},
  });
  return data;
}

/** Reads the status of a task from the node that runs it. */
export async function readTask(client: Client, upid: string): Promise<TaskState> {
  const node = /^UPID:([^:]+):/.exec(upid)?.[1];
  if (node === undefined) throw new PortholeError('not_found', { detail: 'not a UPID' });
  const { data } = await client.get({
    path: `/nodes/${encodeURIComponent(node)}/tasks/${encodeURIComponent(upid)}/status`,
    schema: taskStatusResponse,
  });
  if (data.status !== 'stopped') return { state: 'running' };
  const status = data.exitstatus ?? 'unknown';
  // A task with warnings has succeeded.
  if (status === 'OK' || status.startsWith('WARNINGS')) return { state: 'done' };
  return { state: 'failed', error: new PortholeError(codeOfTaskError(status), { detail: status }) };
}

/** Messages of Proxmox. The first match counts. Templates are not machines, because they cannot start. */
const taskErrors: readonly (readonly [RegExp, ErrorCode])[] = [
  [/can't start a (?:vm|CT) if it's a template/, 'machine_not_found'],
  [/already running/, 'machine_running'],
  [/not running/, 'machine_stopped'],
  [/is locked|can't lock file|got lock timeout/, 'machine_locked'],
  [/got timeout|timed out|timeout after \d+ retries/, 'power_timeout'],
];

function codeOfTaskError(message: string): ErrorCode {
  // A machine that was deleted or moved a moment ago is still in the list, and Proxmox starts the task all the same.
  if (saysMachineIsMissing(message)) return 'machine_not_found';
  return taskErrors.find(([pattern]) => pattern.test(message))?.[1] ?? 'power_failed';
}

/** Translates the error of a refused call. */
export function toPowerError(thrown: unknown): PortholeError {
  const error = asPortholeError(thrown);
  if (error.code !== 'proxmox_invalid_response') return error;
  return new PortholeError(codeOfTaskError(error.detail ?? ''), { cause: error });
}
