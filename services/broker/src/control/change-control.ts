import { z } from 'zod';
import type { MachineControls } from '@porthole/shared/control/machine-controls';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { SessionRecord } from '@porthole/shared/session/records';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Audit } from '@porthole/shared/audit/audit';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { User } from '../identity/user.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { ListSessionsDeps } from '../sessions/list-sessions.ts';
import { permissionsFor, type SessionPermissions } from '../sessions/permissions.ts';

export interface ChangeControlDeps extends ListSessionsDeps {
  readonly controls: Pick<MachineControls, 'take' | 'release'>;
  readonly rateLimits: RateLimits;
  readonly audit: Audit;
  readonly metrics: Pick<BrokerMetrics, 'controlChange'>;
  /** Whether users learn who has control. */
  readonly showOperatorName: boolean;
}

/** Requests of one user. */
const perMinute = 120;

const controlRequest = z.strictObject({ action: z.enum(['take', 'release']) });
type Action = z.infer<typeof controlRequest>['action'];

/**
 * POST /api/v1/sessions/{id}/control: takes control of the machine of a session, or hands it back. The relays enforce it.
 * Control is for the session of the path if it is the user's own, otherwise for the user's newest console of the machine.
 */
export function changeControl(deps: ChangeControlDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'sessions';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`control/user/${user.id}`, perMinute, 60);
    const parsed = controlRequest.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { action } = parsed.data;
    try {
      const { session, permissions } = await findSession(deps, ctx, user);
      if (action === 'take') await take(deps, ctx, { user, session, permissions });
      else await release(deps, ctx, user, session);
      deps.metrics.controlChange(action, 'ok');
      ctx.status = 204;
    } catch (thrown) {
      deps.metrics.controlChange(action, asPortholeError(thrown).code);
      throw thrown;
    }
  };
}

interface Requested {
  readonly user: User;
  readonly session: SessionRecord;
  readonly permissions: SessionPermissions;
}

async function findSession(deps: ChangeControlDeps, ctx: Context, user: User) {
  const { id = '' } = pathParameters(ctx);
  const session = await deps.live.find(id);
  const permissions = await permissionsFor(deps, user);
  if (!session || !permissions.maySee(session))
    throw new PortholeError('not_found', { detail: 'no such session' });
  return { session, permissions };
}

async function take(
  deps: ChangeControlDeps,
  ctx: Context,
  { user, session, permissions }: Requested,
): Promise<void> {
  try {
    if (!permissions.mayTakeControl(session))
      throw new PortholeError('not_allowed', { detail: 'take control' });
    const holder = await findHolder(deps, session, permissions);
    const by = deps.showOperatorName ? { by: (user.displayName ?? user.name).slice(0, 128) } : {};
    await deps.controls.take(session, {
      version: 1,
      userId: user.id,
      sessionId: holder.sessionId,
      ...by,
    });
    auditChange(deps, ctx, user, { session: holder, action: 'take' });
  } catch (thrown) {
    deps.audit({
      event: 'control_refused',
      by: { id: user.id, name: user.name },
      machine: machineOf(session),
      code: asPortholeError(thrown).code,
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
    throw thrown;
  }
}

/** Control ends with the holder's console, so there has to be one. */
async function findHolder(
  deps: ChangeControlDeps,
  session: SessionRecord,
  permissions: SessionPermissions,
): Promise<SessionRecord> {
  const candidates = permissions.isOwn(session)
    ? [session]
    : (await deps.live.listFresh()).filter(
        (each) => permissions.isOwn(each) && each.cluster === session.cluster && each.vmid === session.vmid,
      );
  const holder = candidates.findLast(({ mode, parked }) => mode === 'control' && !parked);
  if (!holder) throw new BadRequest('open the console of the machine with mode control first');
  return holder;
}

/** Does nothing if the user does not have control. */
async function release(
  deps: ChangeControlDeps,
  ctx: Context,
  user: User,
  session: SessionRecord,
): Promise<void> {
  if (await deps.controls.release(session, { userId: user.id }))
    auditChange(deps, ctx, user, { session, action: 'release' });
}

function auditChange(
  { audit }: ChangeControlDeps,
  ctx: Context,
  { id, name }: User,
  { session, action }: { readonly session: SessionRecord; readonly action: Action },
): void {
  audit({
    event: 'control',
    by: { id, name },
    session: session.sessionId,
    machine: machineOf(session),
    action,
    address: ctx.ip,
    requestId: ctx.state.requestId,
  });
}

function machineOf({ cluster, vmid, machineName, node, type }: SessionRecord) {
  return { cluster, vmid, name: machineName, node, type };
}
