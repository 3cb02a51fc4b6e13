import type { Access } from '../access/decide.ts';
import type { Step } from '../http/context.ts';
import { toPublicUser } from '../identity/user.ts';
import type { RequireLogin } from './require-login.ts';

/** GET /api/v1/me: the signed-in user, and which tabs pages show: live consoles, classes, recordings. */
export function showCurrentUser(deps: {
  readonly requireLogin: RequireLogin;
  readonly access: () => Pick<Access, 'managesSessions' | 'seesRecordings' | 'classes'>;
  /** Whether the installation has a storage of recordings. */
  readonly hasRecordings: boolean;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'me';
    const { user } = await deps.requireLogin(ctx);
    const access = deps.access();
    const canSeeSessions = access.managesSessions(user);
    const instructed = access.classes.filter(({ isInstructed }) => isInstructed);
    // Whether other operators see a class depends on its machines, which would take too long to find out here.
    const canSeeClasses = instructed.some(
      ({ hasInstructor, hasMember }) => hasInstructor(user) || (canSeeSessions && !hasMember(user)),
    );
    const canSeeRecordings = deps.hasRecordings && access.seesRecordings(user);
    ctx.body = { user: toPublicUser(user), canSeeSessions, canSeeClasses, canSeeRecordings };
  };
}
