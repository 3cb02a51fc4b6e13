import type { Config } from '@porthole/shared/config/schema';
import { PortholeError } from '@porthole/shared/errors';
import { digest } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access, Decide } from '../access/decide.ts';
import type { Decision } from '../access/decision.ts';
import type { ClassMachines } from '../classes/class-machines.ts';
import { seeClass } from '../classes/class-permissions.ts';
import { consolePageUrl } from '../grants/console-page.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { findVisibleMachine } from '../machines/find-visible-machine.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import type { LaunchMessage } from './launch-message.ts';
import type { PageStep } from './page-step.ts';
import { ltiMethodName } from './roles.ts';

export interface OpenTargetDeps {
  readonly config: Pick<Config, 'publicUrl' | 'limits'>;
  readonly embedTokens: Pick<EmbedTokens, 'createCode'>;
  readonly directory: Pick<MachineDirectory, 'find' | 'list'>;
  readonly classMachines: () => Promise<ClassMachines>;
  readonly access: () => Access;
  readonly decide: Decide;
  readonly clock: Pick<Clock, 'now'>;
}

/** What a launch leads to: a step of its page, or the page of a class, for which the user signs in. */
export type LaunchOutcome =
  PageStep | { readonly signInFor: { readonly name: string; readonly title: string } };

/** Machines in one choice. Each costs a record in the store. */
const maxChoices = 50;

/**
 * Finds what the link of a launch opens: a machine, the page of a class for its instructors and their machines for its
 * members, or all that the user may open. Rules decide as for every other user, here and again for each grant.
 */
export function createOpenTarget(deps: OpenTargetDeps) {
  return async (message: LaunchMessage, user: User): Promise<LaunchOutcome> => {
    const { target } = message;
    if (target.machine !== undefined) {
      const [cluster = '', vmid = '', ...more] = target.machine.split('/');
      if (more.length > 0) throw new PortholeError('machine_not_found', { detail: 'malformed target' });
      const { machine } = await findVisibleMachine(deps, user, cluster, vmid);
      return openMachines(deps, message, user, [machine]);
    }
    if (target.class !== undefined) {
      const compiled = deps.access().classes.find(({ name }) => name === target.class);
      const machinesOf = await deps.classMachines();
      const machines = compiled ? machinesOf(compiled) : [];
      const visible = compiled && seeClass(deps.access(), user, compiled, machines);
      if (visible?.role === 'instructor')
        return { signInFor: { name: visible.compiled.name, title: visible.compiled.title } };
      const own = compiled ? machines.filter((machine) => compiled.isMachineOf(user, machine)) : [];
      return openMachines(deps, message, user, own);
    }
    const { machines } = await deps.directory.list();
    return openMachines(deps, message, user, machines);
  };
}

async function openMachines(
  deps: OpenTargetDeps,
  message: LaunchMessage,
  user: User,
  machines: readonly Machine[],
): Promise<PageStep> {
  const openable = machines
    .flatMap((machine) => {
      const how = howToOpen(deps.decide(user, machine));
      return how ? [{ machine, how }] : [];
    })
    .slice(0, maxChoices);
  const choices = await Promise.all(
    openable.map(async ({ machine, how }) => ({
      name: displayNameOf(machine),
      url: await consoleUrl(deps, message, user, machine, how),
    })),
  );
  const [only, ...more] = choices;
  if (!only)
    throw new PortholeError('machine_not_found', {
      detail: 'no rule gives the user a console of the target',
    });
  return more.length === 0 ? { step: 'open', url: only.url } : { step: 'choose', machines: choices };
}

interface HowToOpen {
  readonly mode: 'control' | 'view';
  readonly kind: 'screen' | 'terminal';
}

/** As a click in the list of machines does: the screen, view-only without `control`, or else the terminal. */
function howToOpen({ allow }: Decision): HowToOpen | undefined {
  if (allow.includes('control')) return { mode: 'control', kind: 'screen' };
  if (allow.includes('view') || allow.includes('watch')) return { mode: 'view', kind: 'screen' };
  return allow.includes('terminal') ? { mode: 'control', kind: 'terminal' } : undefined;
}

/** The console page with a one-time code, because a frame on another site has no sign-in. */
async function consoleUrl(
  { config, embedTokens, clock }: OpenTargetDeps,
  message: LaunchMessage,
  user: User,
  { cluster, vmid }: Machine,
  how: HowToOpen,
): Promise<string> {
  const { limits, publicUrl } = config;
  const code = await embedTokens.createCode({
    user: { id: user.id, name: user.name, groups: [...user.groups] },
    program: { id: ltiMethodName(message.platform), name: message.platform },
    loginRef: digest(`lti login/${user.id}`).slice(0, 32),
    cluster,
    vmid,
    ...how,
    until: clock.now() + (limits.maxSessionSeconds ?? limits.sessionSeconds) * 1000,
  });
  const page = consolePageUrl(publicUrl, { cluster, vmid, ...how });
  page.hash = `code=${code}`;
  return page.href;
}
