import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Decide } from '../access/decide.ts';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { findVisibleMachine, type VisibleMachine } from '../machines/find-visible-machine.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import { powerActions, readTask, startPowerTask, toPowerError, type PowerAction } from './proxmox-power.ts';
import { createTaskTokens } from './task-token.ts';

export interface PowerRouteDeps {
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly decide: Decide;
  /** By cluster name. */
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'post'>>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly rateLimits: RateLimits;
  readonly metrics: Pick<BrokerMetrics, 'powerAction'>;
  readonly audit: Audit;
  readonly log: Pick<Log, 'warn'>;
}

/** Actions of one user. An instructor starts the machines of a class one by one. */
const actionsPerMinute = 60;
/** Status requests of one user, one per second for several machines. Each costs one call to Proxmox. */
const statusRequestsPerMinute = 600;

const powerRequest = z.strictObject({ action: z.enum(powerActions) });

/** POST /api/v1/consoles/{cluster}/{vmid}/power: starts a task at Proxmox, and returns a token to follow it. */
export function startPowerAction(deps: PowerRouteDeps): Step {
  const tokens = createTaskTokens(deps);
  return async (ctx) => {
    ctx.state.route = 'power';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`power/user/${user.id}`, actionsPerMinute, 60);
    const parsed = powerRequest.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { action } = parsed.data;
    const { cluster = '', vmid = '' } = pathParameters(ctx);
    const visible = await findVisibleMachine(deps, user, cluster, vmid);
    const { machine } = visible;
    try {
      const upid = await startTask(deps, visible, action);
      deps.metrics.powerAction(action, 'ok');
      auditPower(deps, ctx, user, machine, { event: 'power', action, task: upid });
      const owner = { userId: user.id, cluster: machine.cluster, vmid: machine.vmid };
      ctx.status = 202;
      ctx.body = { task: tokens.seal(owner, upid) };
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      deps.metrics.powerAction(action, code);
      auditPower(deps, ctx, user, machine, { event: 'power_action_refused', action, code });
      throw thrown;
    }
  };
}

/** GET /api/v1/consoles/{cluster}/{vmid}/power/{task}: the state of a task. */
export function showPowerTask(deps: PowerRouteDeps): Step {
  const tokens = createTaskTokens(deps);
  return async (ctx) => {
    ctx.state.route = 'power';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`power-status/user/${user.id}`, statusRequestsPerMinute, 60);
    const { cluster = '', vmid = '', task = '' } = pathParameters(ctx);
    const client = deps.clients.get(cluster);
    const upid = tokens.open({ userId: user.id, cluster, vmid: Number(vmid) }, task);
    if (!client || upid === undefined) throw new PortholeError('not_found', { detail: 'no such task' });
    const result = await readTask(client, upid);
    if (result.state !== 'failed') {
      ctx.body = { state: result.state };
      return;
    }
    const { requestId } = ctx.state;
    const { error } = result;
    deps.log.warn({ requestId, user: user.id, cluster, vmid, err: error }, 'a power task failed at Proxmox');
    ctx.body = { state: 'failed', code: error.code, title: error.message, requestId };
  };
}

async function startTask(
  deps: PowerRouteDeps,
  { machine, decision }: VisibleMachine,
  action: PowerAction,
): Promise<string> {
  const { cluster, vmid, type } = machine;
  if (!decision.allow.includes('power'))
    throw new PortholeError('not_allowed', { detail: `power of ${cluster}/${vmid}` });
  if (type === 'lxc' && action === 'reset')
    throw new BadRequest('action: containers cannot be reset; use reboot');
  const client = deps.clients.get(cluster);
  if (!client) throw new PortholeError('machine_not_found', { detail: `no cluster ${cluster}` });
  return startPowerTask(client, machine, action).catch((thrown: unknown) => {
    throw toPowerError(thrown);
  });
}

type PowerEvent =
  | { readonly event: 'power'; readonly action: PowerAction; readonly task: string }
  | {
      readonly event: 'power_action_refused';
      readonly action: PowerAction;
      readonly code: PortholeError['code'];
    };

function auditPower(
  { audit }: PowerRouteDeps,
  ctx: Context,
  { id, name }: User,
  machine: Machine,
  event: PowerEvent,
): void {
  const { cluster, vmid, node, type } = machine;
  audit({
    ...event,
    by: { id, name },
    machine: { cluster, vmid, name: displayNameOf(machine), node, type },
    address: ctx.ip,
    requestId: ctx.state.requestId,
  });
}
