import { z } from 'zod';
import { addressKey } from '@porthole/shared/http/address-key';
import type { Audit } from '@porthole/shared/audit/audit';
import type { Limits } from '@porthole/shared/config/schema';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Log } from '@porthole/shared/telemetry/log';
import type { RateLimits } from '@porthole/shared/store/ports';
import { badRequestOf } from '../http/bad-request.ts';
import type { Context, Step } from '../http/context.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { CheckPassword } from './check-password.ts';
import { localFactsOf } from './local-method.ts';
import { lockoutKey, withLockout } from './lockout.ts';
import type { LocalUsers } from './local-users.ts';
import { methodKind, providerOf, type Logins } from './logins.ts';
import type { LocalUser } from './users-file.ts';
import type { User } from './user.ts';

export interface SignInDeps {
  /** Without local users nobody signs in with a password of ours. */
  readonly local: { readonly checkPassword: CheckPassword; readonly users: LocalUsers } | undefined;
  readonly logins: Logins;
  readonly rateLimits: RateLimits;
  readonly limits: Pick<Limits, 'signInsPerMinute' | 'signInsPerAddressPerMinute'>;
  readonly metrics: Pick<BrokerMetrics, 'signIn'>;
  readonly audit: Audit;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const wish = z.strictObject({
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(1024),
});

/** POST /api/v1/login */
export function signIn(deps: SignInDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'login';
    const found = await reportSignIn(deps, ctx, 'local', () => enterLocal(deps, ctx));
    ctx.body = { user: publicUser(found.user) };
  };
}

async function enterLocal(deps: SignInDeps, ctx: Context): Promise<LocalUser> {
  await limitByAddress(deps, ctx.ip);
  if (!deps.local) throw new PortholeError('not_found', { detail: 'there are no local users' });
  const { checkPassword: check } = deps.local;
  const { username: name, password } = parseWish(ctx.request.body);
  await limitByName(deps, name);
  // Only names that exist may be told: what people type into the wrong field is their password.
  const known = deps.local.users.find(name)?.user;
  if (known) ctx.state.user = known;
  const found = await withLockout(deps.rateLimits, lockoutKey(name, ctx.ip), () => check(name, password));
  await deps.logins.enter(ctx, { method: 'local', facts: localFactsOf(found), user: found.user });
  return found;
}

/** Counts and writes down how a sign-in went, whichever way it was tried. */
export async function reportSignIn<T>(
  deps: Pick<SignInDeps, 'metrics' | 'audit' | 'log'>,
  ctx: Context,
  method: string,
  work: () => Promise<T>,
  /** Whether that was all of it; otherwise another step follows, which is reported by itself. */
  isDone: (result: T) => boolean = () => true,
): Promise<T> {
  try {
    const result = await work();
    if (isDone(result)) deps.metrics.signIn(methodKind(method), 'ok');
    return result;
  } catch (thrown) {
    const { code, detail } = asPortholeError(thrown);
    const { user, requestId } = ctx.state;
    deps.metrics.signIn(methodKind(method), code);
    deps.log.warn(
      { event: 'sign_in_refused', method, user: user?.id, code, detail, address: ctx.ip },
      'a sign-in was refused',
    );
    deps.audit({
      event: 'sign_in_refused',
      ...(user && { user: { id: user.id, name: user.name } }),
      method: methodKind(method),
      ...providerOf(method),
      code,
      address: ctx.ip,
      requestId,
    });
    throw thrown;
  }
}

export function limitByAddress(
  { rateLimits, limits }: Pick<SignInDeps, 'rateLimits' | 'limits'>,
  address: string,
): Promise<void> {
  return rateLimits.spend(`sign-in/address/${addressKey(address)}`, limits.signInsPerAddressPerMinute, 60);
}

export function limitByName(
  { rateLimits, limits }: Pick<SignInDeps, 'rateLimits' | 'limits'>,
  name: string,
): Promise<void> {
  return rateLimits.spend(`sign-in/name/${name.normalize('NFC').toLowerCase()}`, limits.signInsPerMinute, 60);
}

function parseWish(body: unknown): z.infer<typeof wish> {
  const parsed = wish.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}

/** What the pages are told about whoever signed in. */
export function publicUser({ id, name, displayName, groups }: User) {
  return { id, name, ...(displayName === undefined ? {} : { displayName }), groups };
}
