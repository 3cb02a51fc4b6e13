import { z } from 'zod';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import { badRequestOf } from '../../http/bad-request.ts';
import type { Context, Step } from '../../http/context.ts';
import { toPublicUser } from '../../identity/user.ts';
import type { ConcurrencyLimiter } from '../concurrency-limiter.ts';
import { lockoutKey, withLockout } from '../lockout.ts';
import { limitByAddress, limitByName, recordAttempt, type SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { AccountTicket, ProxmoxAuthenticator, TfaChallenge } from './authenticator.ts';
import { proxmoxMethodName, userFromAccount, type ProxmoxLoginData } from './login-resolver.ts';
import type { PendingSecondFactors } from './pending-second-factors.ts';
import { tfaFactors } from './tfa-challenge.ts';

export interface ProxmoxRouteDeps extends SignInAttemptDeps {
  readonly config: ProxmoxSignInConfig;
  readonly authenticator: ProxmoxAuthenticator;
  readonly pendingSecondFactors: PendingSecondFactors;
  /** Limits parallel requests, because each occupies one of Proxmox's few workers. */
  readonly limiter: ConcurrencyLimiter;
  readonly clock: Clock;
}

const passwordBody = z.strictObject({
  realm: z.string().min(1).max(32),
  // Proxmox allows 64 characters with the realm.
  username: z
    .string()
    .min(1)
    .max(60)
    .regex(/^[^\s:/\p{C}]+$/u, 'must be a name'),
  password: z.string().min(1).max(1024),
});

const codeBody = z.strictObject({
  id: z.string().max(64),
  factor: z.enum(tfaFactors),
  code: z
    .string()
    .max(256)
    .transform((text) => text.trim())
    .pipe(z.string().min(1)),
});

/** POST /api/v1/login/proxmox/{cluster}: the password. Responds with the user, or with the second factors to choose. */
export function signInWithPassword(deps: ProxmoxRouteDeps): Step {
  const method = proxmoxMethodName(deps.config);
  return async (ctx) => {
    ctx.state.route = 'login';
    const result = await recordAttempt(
      deps,
      ctx,
      method,
      () => checkPassword(deps, ctx),
      (checked) => 'ticket' in checked,
    );
    ctx.body =
      'ticket' in result
        ? { user: toPublicUser(userFromAccount(deps.config, result)) }
        : { secondFactor: { id: result.id, factors: result.factors } };
  };
}

/** Signs in, or returns the challenge and the ID under which it waits for the second factor. */
async function checkPassword(
  deps: ProxmoxRouteDeps,
  ctx: Context,
): Promise<AccountTicket | (TfaChallenge & { readonly id: string })> {
  const { config, authenticator } = deps;
  await limitByAddress(deps, ctx.ip);
  const { realm, username, password } = parseBody(passwordBody, ctx.request.body);
  if (!config.realms.some(({ name }) => name === realm))
    throw new PortholeError('wrong_password', { detail: 'the realm is not configured' });
  const userid = `${username}@${realm}`;
  if (userid.toLowerCase() === 'root@pam' && !config.allowRoot)
    throw new PortholeError('wrong_password', { detail: 'root@pam is not allowed (allowRoot)' });
  const key = limitKey(config, userid);
  await limitByName(deps, key);
  const result = await withLockout(deps.rateLimits, lockoutKey(key, ctx.ip), () =>
    deps.limiter.run(() => authenticator.signIn(userid, password)),
  );
  if ('challenge' in result)
    return { ...result, id: await deps.pendingSecondFactors.create(config.cluster, result) };
  await startLogin(deps, ctx, result);
  return result;
}

/** POST /api/v1/login/proxmox/{cluster}/code: the second factor. The user can try again after a wrong one. */
export function signInWithCode(deps: ProxmoxRouteDeps): Step {
  const { config, authenticator, pendingSecondFactors } = deps;
  return async (ctx) => {
    ctx.state.route = 'login';
    const ticket = await recordAttempt(deps, ctx, proxmoxMethodName(config), async () => {
      await limitByAddress(deps, ctx.ip);
      const { id, factor, code } = parseBody(codeBody, ctx.request.body);
      const pending = await pendingSecondFactors.find(id);
      if (pending.cluster !== config.cluster || !pending.factors.includes(factor))
        throw new PortholeError('sign_in_expired', { detail: 'another cluster or second factor' });
      // The password was right, so the log may name the user.
      ctx.state.user = userFromAccount(config, pending);
      const key = `${limitKey(config, pending.userid)}/code`;
      await limitByName(deps, key);
      const result = await withLockout(deps.rateLimits, lockoutKey(key, ctx.ip), () =>
        deps.limiter.run(() => authenticator.answerChallenge(pending, factor, code)),
      );
      await pendingSecondFactors.delete(id);
      await startLogin(deps, ctx, result);
      return result;
    });
    ctx.body = { user: toPublicUser(userFromAccount(config, ticket)) };
  };
}

async function startLogin(
  { config, clock, logins }: ProxmoxRouteDeps,
  ctx: Context,
  { userid, ticket }: AccountTicket,
): Promise<void> {
  const data: ProxmoxLoginData = { userid, ticket, ticketIssuedAt: clock.now() };
  const user = userFromAccount(config, { userid });
  await logins.start(ctx, { method: proxmoxMethodName(config), data, user });
}

/** Each method counts the attempts for a name separately. */
const limitKey = (config: ProxmoxSignInConfig, userid: string) => `${proxmoxMethodName(config)}:${userid}`;

function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}
