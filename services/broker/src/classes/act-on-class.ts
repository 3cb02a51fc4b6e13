import type { Audit } from '@porthole/shared/audit/audit';
import type { ClassStates } from '@porthole/shared/class/class-states';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import { asPortholeError } from '@porthole/shared/errors';
import { lifetimes } from '@porthole/shared/store/keys';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Access } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import { pathParameters } from '../http/path-parameters.ts';
import type { User } from '../identity/user.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { BrokerMetrics } from '../metrics.ts';
import { classAction, type ClassAction } from './class-actions.ts';
import { requireAction, seeClass, type VisibleClass } from './class-permissions.ts';
import type { ClassSnapshots } from './class-snapshots.ts';
import type { ClassStarter } from './class-starter.ts';
import type { ListClassesDeps } from './list-classes.ts';
import { showMachine, type ShowMachineDeps } from './show-machine.ts';

export interface ClassRouteDeps extends ListClassesDeps, ShowMachineDeps {
  readonly states: ClassStates;
  readonly snapshots: ClassSnapshots;
  readonly starter: Pick<ClassStarter, 'begin'>;
  readonly rateLimits: RateLimits;
  readonly random: RandomBytes;
  readonly audit: Audit;
  readonly metrics: Pick<BrokerMetrics, 'classAction' | 'powerAction'>;
  readonly access: () => Access;
  /** Whether members learn which instructor acts. */
  readonly showOperatorName: boolean;
}

/** Requests of one user. */
const perMinute = 60;

/** POST /api/v1/classes/{name}/actions: an action of an instructor for the class. */
export function actOnClass(deps: ClassRouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'classes';
    const { user } = await deps.requireLogin(ctx);
    await deps.rateLimits.spend(`class-actions/user/${user.id}`, perMinute, 60);
    const parsed = classAction.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { name = '' } = pathParameters(ctx);
    const action = parsed.data;
    try {
      const visible = requireAction(await findClass(deps, user, name), action.action);
      const machines = await perform(deps, ctx, { user, visible, action });
      deps.snapshots.forget(name);
      deps.metrics.classAction(action.action, 'ok');
      deps.audit({
        event: 'class_action',
        ...auditFields(ctx, user, visible.compiled.name),
        action: action.action,
        ...('seconds' in action ? { seconds: action.seconds } : {}),
        ...('users' in action && action.users ? { users: action.users } : {}),
        ...('vmid' in action ? { machine: { cluster: action.cluster, vmid: action.vmid } } : {}),
        ...(machines === undefined ? {} : { machines }),
      });
      ctx.status = 204;
    } catch (thrown) {
      const { code } = asPortholeError(thrown);
      deps.metrics.classAction(action.action, code);
      // A class that the user cannot see is not recorded: its name can be anything.
      if (code !== 'not_found')
        deps.audit({
          event: 'class_action_refused',
          ...auditFields(ctx, user, name),
          action: action.action,
          code,
        });
      throw thrown;
    }
  };
}

async function findClass(deps: ClassRouteDeps, user: User, name: string): Promise<VisibleClass | undefined> {
  const access = deps.access();
  const compiled = access.classes.find((each) => each.name === name);
  if (!compiled) return undefined;
  const machinesOf = await deps.classMachines();
  return seeClass(access, user, compiled, machinesOf(compiled));
}

interface Performed {
  readonly user: User;
  readonly visible: VisibleClass;
  readonly action: ClassAction;
}

/** Returns the number of machines that are started, if any are. */
async function perform(
  deps: ClassRouteDeps,
  ctx: Context,
  { user, visible, action }: Performed,
): Promise<number | undefined> {
  const { states, clock, random } = deps;
  const { name } = visible.compiled;
  const now = clock.now();
  const by = deps.showOperatorName ? { by: (user.displayName ?? user.name).slice(0, 128) } : {};
  switch (action.action) {
    case 'pause': {
      const ms = action.seconds * 1000;
      await states.pauses.write(name, { version: 1, until: now + ms, text: action.text, ...by }, ms);
      break;
    }
    case 'resume':
      await states.pauses.clear(name);
      break;
    case 'message': {
      const { text, users } = action;
      await states.messages.add(name, {
        id: randomId(random, 12),
        at: now,
        text,
        ...by,
        ...(users && { users }),
      });
      break;
    }
    case 'lower':
      await Promise.all(action.users.map((id) => states.help.lower(name, id)));
      break;
    case 'end': {
      const ms = action.seconds * 1000;
      await states.endings.write(name, { version: 1, at: now + ms, ...by }, ms + lifetimes.classEnding);
      break;
    }
    case 'cancel_end':
      await states.endings.clear(name);
      break;
    case 'show':
      await showMachine(deps, { user, visible, action }, by);
      break;
    case 'stop_showing':
      await states.showings.clear(name);
      break;
    case 'start':
      return startMachines(deps, ctx, user, visible);
    default:
      action satisfies never;
  }
  await states.announce(name);
  return undefined;
}

async function startMachines(
  deps: ClassRouteDeps,
  ctx: Context,
  user: User,
  { compiled, machines }: VisibleClass,
): Promise<number> {
  const { audit, metrics } = deps;
  const { decide } = deps.access();
  const stopped = machines.filter(
    (machine) => machine.status !== 'running' && decide(user, machine).allow.includes('power'),
  );
  const { ip, state } = ctx;
  const facts = (machine: Machine) => ({
    by: { id: user.id, name: user.name },
    machine: {
      cluster: machine.cluster,
      vmid: machine.vmid,
      name: displayNameOf(machine),
      node: machine.node,
      type: machine.type,
    },
    action: 'start' as const,
    address: ip,
    requestId: state.requestId,
  });
  const begun = await deps.starter.begin(compiled.name, stopped, {
    action: 'start',
    onStarted(machine, task) {
      metrics.powerAction('start', 'ok');
      audit({ event: 'power', ...facts(machine), task });
    },
    onFailed(machine, { code }) {
      metrics.powerAction('start', code);
      audit({ event: 'power_action_refused', ...facts(machine), code });
    },
  });
  return begun ? stopped.length : 0;
}

function auditFields(ctx: Context, { id, name }: User, className: string) {
  return { by: { id, name }, class: className, address: ctx.ip, requestId: ctx.state.requestId };
}
