import { z } from 'zod';
import type { Limits } from '@porthole/shared/config/schema';
import type { EndOrders } from '@porthole/shared/end-orders';
import { asPortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/log';
import type { RateLimits } from '@porthole/shared/store/ports';
import { addressKey } from '@porthole/shared/address-key';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { CheckPassword } from './check-password.ts';
import { passwordRef } from './identify.ts';
import type { LoginCookie } from './login-cookie.ts';
import { loginRef, type LoginSessions } from './login-sessions.ts';
import type { LocalUsers } from './local-users.ts';
import type { LocalUser } from './users-file.ts';
import type { User } from './user.ts';

export interface SignInDeps {
  readonly checkPassword: CheckPassword;
  readonly users: LocalUsers;
  readonly sessions: LoginSessions;
  readonly cookie: LoginCookie;
  readonly ends: Pick<EndOrders, 'give'>;
  readonly rateLimits: RateLimits;
  readonly limits: Pick<Limits, 'signInsPerMinute' | 'signInsPerAddressPerMinute'>;
  readonly metrics: Pick<BrokerMetrics, 'signIn'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const wish = z.strictObject({
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(1024),
});

/** POST /api/v1/login */
export function signIn(deps: SignInDeps): Step {
  const { metrics } = deps;
  return async (ctx) => {
    ctx.state.route = 'login';
    try {
      const { user } = await enter(deps, ctx);
      metrics.signIn('ok');
      ctx.state.user = user;
      ctx.body = { user: publicUser(user) };
    } catch (thrown) {
      metrics.signIn(asPortholeError(thrown).code);
      throw thrown;
    }
  };
}

async function enter(deps: SignInDeps, ctx: Context): Promise<LocalUser> {
  await limitByAddress(deps, ctx.ip);
  const { username: name, password } = parseWish(ctx.request.body);
  await limitByName(deps, name);
  const found = await checkOrReport(deps, ctx, name, password);
  await endEarlierLogin(deps, ctx);
  const secret = await deps.sessions.create({
    userName: found.user.name,
    passwordRef: passwordRef(found.passwordText),
  });
  ctx.append('set-cookie', deps.cookie.set(secret));
  deps.log.info(
    { event: 'sign_in', user: found.user.id, login: loginRef(secret), address: ctx.ip },
    'somebody signed in',
  );
  return found;
}

function limitByAddress({ rateLimits, limits }: SignInDeps, address: string): Promise<void> {
  return rateLimits.spend(`sign-in/address/${addressKey(address)}`, limits.signInsPerAddressPerMinute, 60);
}

function limitByName({ rateLimits, limits }: SignInDeps, name: string): Promise<void> {
  return rateLimits.spend(`sign-in/name/${name.normalize('NFC').toLowerCase()}`, limits.signInsPerMinute, 60);
}

function parseWish(body: unknown): z.infer<typeof wish> {
  const parsed = wish.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}

async function checkOrReport(
  { checkPassword, users, log }: SignInDeps,
  ctx: Context,
  name: string,
  password: string,
): Promise<LocalUser> {
  try {
    return await checkPassword(name, password);
  } catch (thrown) {
    // Only names that exist: what people type into the wrong field is their password.
    const user = users.find(name)?.user.id;
    log.warn(
      { event: 'sign_in_refused', user, code: asPortholeError(thrown).code, address: ctx.ip },
      'a sign-in was refused',
    );
    throw thrown;
  }
}

/** A new id at each sign-in, and the old one is worth nothing from then on, whoever else may know it. */
async function endEarlierLogin(deps: SignInDeps, ctx: Context): Promise<void> {
  const secret = deps.cookie.read(ctx.get('cookie'));
  if (secret !== undefined) await endLogin(deps, secret);
}

/** POST /api/v1/logout. Answers 204 to whoever is signed out already, too. */
export function signOut(deps: Pick<SignInDeps, 'sessions' | 'cookie' | 'ends' | 'log'>): Step {
  return async (ctx) => {
    ctx.state.route = 'logout';
    const secret = deps.cookie.read(ctx.get('cookie'));
    if (secret !== undefined) await endLogin(deps, secret);
    ctx.append('set-cookie', deps.cookie.clear());
    ctx.status = 204;
  };
}

/** Ends the sign-in first, so that it can ask for no further console, and then the consoles that it opened. */
async function endLogin(
  { sessions, ends, log }: Pick<SignInDeps, 'sessions' | 'ends' | 'log'>,
  secret: string,
): Promise<void> {
  if (!(await sessions.find(secret))) return;
  const ref = loginRef(secret);
  await sessions.end(secret);
  await ends.give({ kind: 'login', ref }, 'signed_out');
  log.info({ event: 'sign_out', login: ref }, 'a sign-in was ended');
}

/** What the pages are told about whoever signed in. */
export function publicUser({ id, name, displayName, groups }: User) {
  return { id, name, ...(displayName === undefined ? {} : { displayName }), groups };
}
