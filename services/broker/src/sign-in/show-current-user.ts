import type { Access } from '../access/decide.ts';
import type { Step } from '../http/context.ts';
import { toPublicUser } from '../identity/user.ts';
import type { RequireLogin } from './require-login.ts';

/** GET /api/v1/me: the signed-in user, and whether pages show the tab of live consoles. */
export function showCurrentUser(deps: {
  readonly requireLogin: RequireLogin;
  readonly access: () => Pick<Access, 'managesSessions'>;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'me';
    const { user } = await deps.requireLogin(ctx);
    ctx.body = { user: toPublicUser(user), canSeeSessions: deps.access().managesSessions(user) };
  };
}
