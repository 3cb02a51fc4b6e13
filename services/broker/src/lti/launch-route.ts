import { z } from 'zod';
import type { Audit } from '@porthole/shared/audit/audit';
import type { LtiPlatformConfig } from '@porthole/shared/config/lti-schema';
import { PortholeError } from '@porthole/shared/errors';
import { urlBelow } from '@porthole/shared/http/base-path';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context } from '../http/context.ts';
import type { User } from '../identity/user.ts';
import { limitByAddress, recordAttempt, type SignInAttemptDeps } from '../sign-in/sign-in-attempt.ts';
import type { LaunchCookie } from './launch-cookie.ts';
import type { LaunchMessage } from './launch-message.ts';
import { loginDataOfLaunch } from './login-resolver.ts';
import type { LaunchOutcome } from './open-target.ts';
import type { PageStep } from './page-step.ts';
import { requireBrowser, storageKeyOf, type PendingLaunches, type PendingLogin } from './pending-launches.ts';
import { ltiMethodName, userOfLaunch } from './roles.ts';
import { maxTokenLength, type VerifyLaunch } from './verify-launch.ts';

export interface LaunchDeps extends SignInAttemptDeps {
  readonly platforms: readonly LtiPlatformConfig[];
  /** By the name of the platform. */
  readonly verifiers: ReadonlyMap<string, VerifyLaunch>;
  readonly pending: PendingLaunches;
  readonly cookie: LaunchCookie;
  readonly publicUrl: URL;
  readonly openTarget: (message: LaunchMessage, user: User) => Promise<LaunchOutcome>;
  readonly offerSelection: (message: LaunchMessage, user: User) => Promise<PageStep>;
  /** Learns where the members of a context are listed. */
  readonly noteMemberships: (message: LaunchMessage) => Promise<void>;
  readonly audit: Audit;
}

const launchForm = z.object({
  state: z.string().max(100),
  id_token: z.string().max(maxTokenLength).optional(),
  error: z.string().max(1000).optional(),
});
const confirmation = z.strictObject({ code: z.string().max(64), secret: z.string().max(64) });
const signInForm = z.object({ code: z.string().max(64) });

/** POST /lti/launch: the message of the platform. */
export function handleLaunch(deps: LaunchDeps): (ctx: Context) => Promise<PageStep> {
  return async (ctx) => {
    await limitByAddress(deps, ctx.ip);
    const parsed = launchForm.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { state, id_token: idToken, error } = parsed.data;
    const login = await recordAttempt(deps, ctx, 'lti', () => deps.pending.takeLogin(state), isNotComplete);
    return recordAttempt(
      deps,
      ctx,
      ltiMethodName(login.platform),
      async () => {
        const verify = deps.verifiers.get(login.platform);
        if (!verify) throw new PortholeError('lti_platform_unknown', { detail: 'was removed' });
        if (idToken === undefined)
          throw new PortholeError('sign_in_refused', {
            detail: error === undefined ? 'no token' : 'an error',
          });
        if (login.storageTarget === undefined)
          requireBrowser(deps.cookie.read(ctx.get('cookie')), login.browserDigest);
        const message = await verify(idToken, login.nonce);
        return login.storageTarget === undefined
          ? complete(deps, ctx, message)
          : askForConfirmation(deps, login, { ...login, storageTarget: login.storageTarget, state, message });
      },
      ({ step }) => step !== 'confirm',
    );
  };
}

const isNotComplete = () => false;

async function askForConfirmation(
  { pending, platforms }: LaunchDeps,
  { browserDigest }: PendingLogin,
  launch: { readonly state: string; readonly storageTarget: string; readonly message: LaunchMessage },
): Promise<PageStep> {
  const { state, storageTarget, message } = launch;
  return {
    step: 'confirm',
    code: await pending.awaitConfirmation(message, browserDigest),
    target: storageTarget,
    origin: platformOf(platforms, message).authorizationUrl.origin,
    key: storageKeyOf(state),
  };
}

/** POST /lti/confirm: the page sends the secret that the platform has kept for its browser. */
export function confirmLaunch(deps: LaunchDeps): (ctx: Context) => Promise<PageStep> {
  return async (ctx) => {
    await limitByAddress(deps, ctx.ip);
    const parsed = confirmation.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const { code, secret } = parsed.data;
    return recordAttempt(deps, ctx, 'lti', async () =>
      complete(deps, ctx, await deps.pending.takeConfirmation(code, secret)),
    );
  };
}

/** POST /lti/sign-in: a window of its own, in which the page of a class can have a sign-in. Redirects to that page. */
export function signInByLaunch(deps: LaunchDeps): (ctx: Context) => Promise<undefined> {
  return async (ctx) => {
    await limitByAddress(deps, ctx.ip);
    const parsed = signInForm.safeParse(ctx.request.body);
    if (!parsed.success) throw badRequestOf(parsed.error);
    const message = await deps.pending.takeSignIn(parsed.data.code);
    await startLogin(deps, ctx, message);
    ctx.redirect(urlBelow(deps.publicUrl, '/classes').href);
    ctx.status = 303;
    return undefined;
  };
}

/** The message is verified, and comes from the browser that began the launch. */
async function complete(deps: LaunchDeps, ctx: Context, message: LaunchMessage): Promise<PageStep> {
  const platform = platformOf(deps.platforms, message);
  const user = userOfLaunch(platform, message);
  ctx.state.user = user;
  await deps.noteMemberships(message);
  deps.audit({
    event: 'lti_launch',
    user: { id: user.id, name: user.name },
    provider: platform.name,
    message: message.deepLinking ? 'deep_linking' : 'resource_link',
    ...(message.context ? { context: message.context.id } : {}),
    address: ctx.ip,
    requestId: ctx.state.requestId,
  });
  if (message.deepLinking) return deps.offerSelection(message, user);
  const outcome = await deps.openTarget(message, user);
  if (!('signInFor' in outcome)) return outcome;
  // Not in a frame: the browser keeps the cookie of a sign-in.
  if (ctx.get('sec-fetch-dest') === 'document') {
    await startLogin(deps, ctx, message);
    return { step: 'open', url: urlBelow(deps.publicUrl, '/classes').href };
  }
  return {
    step: 'sign-in',
    title: outcome.signInFor.title,
    code: await deps.pending.awaitSignIn(message),
  };
}

async function startLogin(deps: LaunchDeps, ctx: Context, message: LaunchMessage): Promise<void> {
  const user = userOfLaunch(platformOf(deps.platforms, message), message);
  const method = ltiMethodName(message.platform);
  await deps.logins.start(ctx, { method, data: loginDataOfLaunch(message), user });
}

export function platformOf(
  platforms: readonly LtiPlatformConfig[],
  { platform }: Pick<LaunchMessage, 'platform'>,
): LtiPlatformConfig {
  const found = platforms.find(({ name }) => name === platform);
  if (!found) throw new PortholeError('lti_platform_unknown', { detail: 'was removed' });
  return found;
}
