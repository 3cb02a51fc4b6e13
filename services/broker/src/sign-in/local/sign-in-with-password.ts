import { z } from 'zod';
import { PortholeError } from '@porthole/shared/errors';
import { badRequestOf } from '../../http/bad-request.ts';
import type { Context, Step } from '../../http/context.ts';
import { toPublicUser } from '../../identity/user.ts';
import { lockoutKey, withLockout } from '../lockout.ts';
import { limitByAddress, limitByName, recordAttempt, type SignInAttemptDeps } from '../sign-in-attempt.ts';
import type { CheckPassword } from './check-password.ts';
import type { LocalUsers } from './local-users.ts';
import { loginDataOf } from './login-resolver.ts';
import type { LocalUser } from './users-file.ts';

export interface LocalSignInDeps extends SignInAttemptDeps {
  /** Undefined if the configuration has no local users. */
  readonly local: { readonly checkPassword: CheckPassword; readonly users: LocalUsers } | undefined;
}

const requestBody = z.strictObject({
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(1024),
});

/** POST /api/v1/login: signs in a local user. */
export function signInWithPassword(deps: LocalSignInDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'login';
    const { user } = await recordAttempt(deps, ctx, 'local', () => attempt(deps, ctx));
    ctx.body = { user: toPublicUser(user) };
  };
}

async function attempt(deps: LocalSignInDeps, ctx: Context): Promise<LocalUser> {
  await limitByAddress(deps, ctx.ip);
  if (!deps.local) throw new PortholeError('not_found', { detail: 'there are no local users' });
  const { checkPassword, users } = deps.local;
  const { username, password } = parseBody(ctx.request.body);
  await limitByName(deps, username);
  // Only names of known users may appear in the log: users sometimes type their password into the name field.
  const known = users.find(username)?.user;
  if (known) ctx.state.user = known;
  const localUser = await withLockout(deps.rateLimits, lockoutKey(username, ctx.ip), () =>
    checkPassword(username, password),
  );
  await deps.logins.start(ctx, { method: 'local', data: loginDataOf(localUser), user: localUser.user });
  return localUser;
}

function parseBody(body: unknown): z.infer<typeof requestBody> {
  const parsed = requestBody.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}
