import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import type { ProxmoxSignInConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { badRequestOf } from '../../http/bad-request.ts';
import type { Context, Step } from '../../http/context.ts';
import type { ConcurrencyLimiter } from '../concurrency-limiter.ts';
import { lockoutKey, withLockout } from '../lockout.ts';
import { toPublicUser } from '../../identity/user.ts';
import { limitByAddress, limitByName, recordAttempt, type SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { AccountTicket, ProxmoxAuthenticator } from './authenticator.ts';
import { tfaFactors } from './tfa-challenge.ts';
import { proxmoxMethodName, userFromAccount, type ProxmoxLoginData } from './login-resolver.ts';
import type { PendingSecondFactors } from './pending-second-factors.ts';

export interface ProxmoxRouteDeps extends SignInAttemptDeps {
  readonly config: ProxmoxSignInConfig;
  readonly authenticator: ProxmoxAuthenticator;
  readonly secondFactors: PendingSecondFactors;
  /** Proxmox is asked for a few at a time: each keeps one of its few workers busy. */
  readonly limiter: ConcurrencyLimiter;
  readonly clock: Clock;
}

const passwordWish = z.strictObject({
  realm: z.string().min(1).max(32),
  // Proxmox takes 64 characters with the realm; what it does not allow in names is nobody's.
  username: z
    .string()
    .min(1)
    .max(60)
    .regex(/^[^\s:/\p{C}]+$/u, 'must be a name'),
  password: z.string().min(1).max(1024),
});

const codeWish = z.strictObject({
  id: z.string().max(64),
  factor: z.enum(tfaFactors),
  code: z
    .string()
    .max(256)
    .transform((text) => text.trim())
    .pipe(z.string().min(1)),
});

/** POST /api/v1/login/proxmox/{cluster}: the password. Answers the user, or that Proxmox wants a code, too. */
export function signInWithPassword(deps: ProxmoxRouteDeps): Step {
  const { config, authenticator: accounts } = deps;
  const check = async (ctx: Context) => {
    await limitByAddress(deps, ctx.ip);
    const { realm, username, password } = parse(passwordWish, ctx.request.body);
    if (!config.realms.some(({ name }) => name === realm))
      throw new PortholeError('wrong_password', { detail: 'a realm that is not offered' });
    const userid = `${username}@${realm}`;
    if (userid.toLowerCase() === 'root@pam' && !config.allowRoot)
      throw new PortholeError('wrong_password', { detail: 'root@pam may not sign in (allowRoot)' });
    const key = keyOf(config, userid);
    await limitByName(deps, key);
    const found = await withLockout(deps.rateLimits, lockoutKey(key, ctx.ip), () =>
      deps.limiter.run(() => accounts.signIn(userid, password)),
    );
    if ('challenge' in found)
      return { secondFactor: await deps.secondFactors.create(config.cluster, found), found };
    await enter(deps, ctx, found);
    return { found };
  };
  return async (ctx) => {
    ctx.state.route = 'login';
    const isDone = ({ secondFactor }: { readonly secondFactor?: string }) => secondFactor === undefined;
    const outcome = await recordAttempt(deps, ctx, proxmoxMethodName(config), () => check(ctx), isDone);
    ctx.body =
      'challenge' in outcome.found
        ? { secondFactor: { id: outcome.secondFactor, factors: outcome.found.factors } }
        : { user: toPublicUser(userFromAccount(config, outcome.found)) };
  };
}

/** POST /api/v1/login/proxmox/{cluster}/code: the second factor. A wrong one may be tried again. */
export function signInWithCode(deps: ProxmoxRouteDeps): Step {
  const { config, authenticator: accounts, secondFactors } = deps;
  return async (ctx) => {
    ctx.state.route = 'login';
    const ticket = await recordAttempt(deps, ctx, proxmoxMethodName(config), async () => {
      await limitByAddress(deps, ctx.ip);
      const { id, factor, code } = parse(codeWish, ctx.request.body);
      const waiting = await secondFactors.find(id);
      if (waiting.cluster !== config.cluster || !waiting.factors.includes(factor))
        throw new PortholeError('sign_in_expired', { detail: 'begun at another cluster, or otherwise' });
      // The password was right, so the log may say whose code it is that was wrong.
      ctx.state.user = userFromAccount(config, waiting);
      const key = `${keyOf(config, waiting.userid)}/code`;
      await limitByName(deps, key);
      const found = await withLockout(deps.rateLimits, lockoutKey(key, ctx.ip), () =>
        deps.limiter.run(() => accounts.answerChallenge(waiting, factor, code)),
      );
      await secondFactors.delete(id);
      await enter(deps, ctx, found);
      return found;
    });
    ctx.body = { user: toPublicUser(userFromAccount(config, ticket)) };
  };
}

async function enter(deps: ProxmoxRouteDeps, ctx: Context, { userid, ticket }: AccountTicket): Promise<void> {
  const { config, clock } = deps;
  const facts: ProxmoxLoginData = { userid, ticket, since: clock.now() };
  await deps.logins.start(ctx, {
    method: proxmoxMethodName(config),
    data: facts,
    user: userFromAccount(config, { userid }),
  });
}

/** Names of different ways are counted apart. */
const keyOf = (config: ProxmoxSignInConfig, userid: string) => `${proxmoxMethodName(config)}:${userid}`;

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}
