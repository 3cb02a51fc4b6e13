import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Decide } from '../access/decide.ts';
import { findMachine } from '../grants/steps.ts';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import type { User } from '../identity/user.ts';
import { asPowerError, beginPower, lookAtTask, powerActions, type PowerAction } from './proxmox-power.ts';
import { createTaskTokens } from './task-token.ts';

export interface PowerRouteDeps {
  readonly requireLogin: RequireLogin;
  readonly directory: Pick<MachineDirectory, 'find'>;
  readonly decide: Decide;
  readonly clients: ReadonlyMap<string, Pick<ProxmoxClient, 'get' | 'post'>>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly rateLimits: RateLimits;
  readonly metrics: Pick<BrokerMetrics, 'powerAction'>;
  readonly audit: Audit;
  readonly log: Pick<Log, 'warn'>;
}

/** Of one person. Whoever starts a class one by one needs some. */
const perMinute = 60;
/** Looks at how it goes, one a second for some machines at a time. Each costs Proxmox a call. */
const looksPerMinute = 600;

const wish = z.strictObject({ action: z.enum(powerActions) });

/** POST /api/v1/consoles/{cluster}/{vmid}/power: begins it, and answers by which name it can be followed. */
export function powerMachine(deps: PowerRouteDeps): Step {
  const tokens = createTaskTokens(deps);
  return async (ctx) => {
    ctx.state.route = 'power';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`power/user/${user.id}`, perMinute, 60);
    const parsed = wish.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { action } = parsed.data;
    const machine = await theirMachine(deps, ctx, user);
    try {
      const upid = await begin(deps, machine, action);
      deps.metrics.powerAction(action, 'ok');
      record(deps, ctx, user, machine, { event: 'power', action, task: upid });
      const owner = { userId: user.id, cluster: machine.cluster, vmid: machine.vmid };
      ctx.status = 202;
      ctx.body = { task: tokens.write(owner, upid) };
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      deps.metrics.powerAction(action, code);
      record(deps, ctx, user, machine, { event: 'power_action_refused', action, code });
      throw thrown;
    }
  };
}

/** GET /api/v1/consoles/{cluster}/{vmid}/power/{task}: how it is going. */
export function followPower(deps: PowerRouteDeps): Step {
  const tokens = createTaskTokens(deps);
  return async (ctx) => {
    ctx.state.route = 'power';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`power-looks/user/${user.id}`, looksPerMinute, 60);
    const { cluster = '', vmid = '', task = '' } = parametersOf(ctx);
    const client = deps.clients.get(cluster);
    const upid = tokens.read({ userId: user.id, cluster, vmid: Number(vmid) }, task);
    if (!client || upid === undefined) throw new PortholeError('not_found', { detail: 'no such task' });
    const seen = await lookAtTask(client, upid);
    if (seen.state !== 'failed') {
      ctx.body = { state: seen.state };
      return;
    }
    const { requestId } = ctx.state;
    deps.log.warn({ requestId, user: user.id, cluster, vmid, err: seen.error }, 'Proxmox could not do it');
    ctx.body = {
      state: 'failed',
      code: seen.error.code,
      title: seen.error.message,
      requestId,
    };
  };
}

async function theirMachine(deps: PowerRouteDeps, ctx: Context, user: User): Promise<MachineWithRights> {
  const { cluster = '', vmid = '' } = parametersOf(ctx);
  const { machine, decision } = await findMachine(deps, user, cluster, vmid);
  return { ...machine, mayPower: decision.allow.includes('power') };
}

type MachineWithRights = Machine & { readonly mayPower: boolean };

async function begin(deps: PowerRouteDeps, machine: MachineWithRights, action: PowerAction): Promise<string> {
  const { cluster, vmid, type, mayPower } = machine;
  if (!mayPower) throw new PortholeError('not_allowed', { detail: `power of ${cluster}/${vmid}` });
  if (type === 'lxc' && action === 'reset')
    throw new BadRequest('action: a container can not be reset; reboot it');
  const client = deps.clients.get(cluster);
  if (!client) throw new PortholeError('machine_not_found', { detail: `no cluster ${cluster}` });
  return beginPower(client, machine, action).catch((thrown: unknown) => {
    throw asPowerError(thrown);
  });
}

function record(
  { audit }: PowerRouteDeps,
  ctx: Context,
  { id, name }: User,
  machine: Machine,
  what:
    | { readonly event: 'power'; readonly action: PowerAction; readonly task: string }
    | {
        readonly event: 'power_action_refused';
        readonly action: PowerAction;
        readonly code: PortholeError['code'];
      },
): void {
  const { cluster, vmid, node, type } = machine;
  audit({
    ...what,
    by: { id, name },
    machine: { cluster, vmid, name: displayNameOf(machine), node, type },
    address: ctx.ip,
    requestId: ctx.state.requestId,
  });
}

function parametersOf(ctx: Context): Readonly<Record<string, string | undefined>> {
  return ctx['params'] as Readonly<Record<string, string | undefined>>;
}
