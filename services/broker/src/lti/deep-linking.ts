import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { urlBelow } from '@porthole/shared/http/base-path';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access, Decide } from '../access/decide.ts';
import type { ClassMachines } from '../classes/class-machines.ts';
import { seeClass } from '../classes/class-permissions.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context } from '../http/context.ts';
import type { User } from '../identity/user.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { displayNameOf } from '../machines/machine.ts';
import { limitByAddress, type SignInAttemptDeps } from '../sign-in/sign-in-attempt.ts';
import { claimNames, type LaunchMessage } from './launch-message.ts';
import { platformOf } from './launch-route.ts';
import type { PageStep } from './page-step.ts';
import type { PendingLaunches } from './pending-launches.ts';
import { platformOrigins } from './platforms.ts';
import { userOfLaunch } from './roles.ts';
import type { ToolKeys } from './tool-keys.ts';

export interface DeepLinkingDeps extends Pick<SignInAttemptDeps, 'rateLimits' | 'limits'> {
  readonly platforms: readonly LtiPlatformConfig[];
  readonly pending: Pick<PendingLaunches, 'awaitSelection' | 'takeSelection'>;
  readonly directory: Pick<MachineDirectory, 'list'>;
  readonly classMachines: () => Promise<ClassMachines>;
  readonly access: () => Access;
  readonly decide: Decide;
  readonly toolKeys: Pick<ToolKeys, 'sign'>;
  readonly publicUrl: URL;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomBytes;
  readonly audit: Audit;
}

interface Choices {
  readonly machines: readonly { readonly id: string; readonly name: string }[];
  readonly classes: readonly { readonly name: string; readonly title: string }[];
}

const maxMachines = 500;
const maxItems = 50;
/** Seconds in which the browser takes the answer to the platform. */
const answerSeconds = 300;

const selection = z.strictObject({
  code: z.string().max(64),
  machines: z.array(z.string().max(100)).max(maxItems),
  classes: z.array(z.string().max(64)).max(maxItems),
});

/** Shows a teacher what a link can open: the machines and classes that the teacher sees. */
export function createOfferSelection(deps: DeepLinkingDeps) {
  return async (message: LaunchMessage, user: User): Promise<PageStep> => {
    requireTeacher(message);
    const { returnUrl, multiple } = message.deepLinking;
    const origins = platformOrigins(platformOf(deps.platforms, message));
    if (!origins.includes(new URL(returnUrl).origin))
      throw new PortholeError('lti_launch_invalid', { detail: 'deep_link_return_url is of another origin' });
    const choices = await listChoices(deps, user);
    return { step: 'select', code: await deps.pending.awaitSelection(message), multiple, ...choices };
  };
}

/** POST /lti/select: signs what the teacher has chosen, for the platform (LTI Deep Linking 2.0). */
export function answerSelection(deps: DeepLinkingDeps): (ctx: Context) => Promise<PageStep> {
  return async (ctx) => {
    await limitByAddress(deps, ctx.ip);
    const parsed = selection.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const message = await deps.pending.takeSelection(parsed.data.code);
    requireTeacher(message);
    const platform = platformOf(deps.platforms, message);
    const user = userOfLaunch(platform, message);
    ctx.state.user = user;
    const choices = await listChoices(deps, user);
    const chosen = [
      ...choices.classes
        .filter(({ name }) => parsed.data.classes.includes(name))
        .map(({ name, title }) => item(deps, title, { porthole_class: name })),
      ...choices.machines
        .filter(({ id }) => parsed.data.machines.includes(id))
        .map(({ id, name }) => item(deps, name, { porthole_machine: id })),
    ];
    const items = message.deepLinking.multiple ? chosen : chosen.slice(0, 1);
    const jwt = await deps.toolKeys.sign(responseClaims(deps, platform, message, items));
    deps.audit({
      event: 'lti_selection',
      user: { id: user.id, name: user.name },
      provider: platform.name,
      items: items.length,
      address: ctx.ip,
      requestId: ctx.state.requestId,
    });
    return { step: 'submit', url: message.deepLinking.returnUrl, jwt };
  };
}

type Teaching = LaunchMessage & { readonly deepLinking: NonNullable<LaunchMessage['deepLinking']> };

function requireTeacher(message: LaunchMessage): asserts message is Teaching {
  const isTeacher = message.roles.includes('instructor') || message.roles.includes('assistant');
  if (!message.deepLinking || !isTeacher)
    throw new PortholeError('not_allowed', { detail: 'deep linking by a user who does not teach' });
}

async function listChoices(deps: DeepLinkingDeps, user: User): Promise<Choices> {
  const { machines } = await deps.directory.list();
  const machinesOf = await deps.classMachines();
  const access = deps.access();
  return {
    machines: machines
      .filter((machine) => deps.decide(user, machine).allow.length > 0)
      .slice(0, maxMachines)
      .map((machine) => ({ id: `${machine.cluster}/${machine.vmid}`, name: displayNameOf(machine) })),
    classes: access.classes
      .flatMap((each) => seeClass(access, user, each, machinesOf(each)) ?? [])
      .filter(({ role }) => role === 'instructor')
      .map(({ compiled: { name, title } }) => ({ name, title })),
  };
}

function item({ publicUrl }: DeepLinkingDeps, title: string, custom: Readonly<Record<string, string>>) {
  return { type: 'ltiResourceLink', title, url: urlBelow(publicUrl, '/lti/launch').href, custom };
}

function responseClaims(
  { clock, random }: DeepLinkingDeps,
  platform: LtiPlatformConfig,
  { deploymentId, deepLinking }: Teaching,
  items: readonly ReturnType<typeof item>[],
) {
  const now = Math.floor(clock.now() / 1000);
  return {
    // The tool is the issuer, and the platform the audience (LTI Deep Linking 2.0, section 3.4.5).
    iss: platform.clientId,
    aud: platform.issuer,
    iat: now,
    exp: now + answerSeconds,
    nonce: random(16).toString('base64url'),
    [claimNames.messageType]: 'LtiDeepLinkingResponse',
    [claimNames.version]: '1.3.0',
    [claimNames.deploymentId]: deploymentId,
    [claimNames.contentItems]: items,
    // The platform gets back what it sent.
    ...(deepLinking.data === undefined ? {} : { [claimNames.deepLinkingData]: deepLinking.data }),
  };
}
