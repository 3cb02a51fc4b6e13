import { Router } from '@koa/router';
import type { Access, Decide } from './access/decide.ts';
import { explainAccess } from './explain-access.ts';
import { createGrant, type GrantRouteDeps } from './grants/create-grant.ts';
import type { RequestState, Step } from './http/context.ts';
import { readJson } from './http/read-json.ts';
import type { MachineDirectory } from './machines/directory.ts';
import { visibleConsoles } from './machines/visible-consoles.ts';
import { followPower, powerMachine, type PowerRouteDeps } from './power/power-route.ts';
import { endSession, endSessions, type EndRouteDeps } from './sessions/end-sessions.ts';
import { listSessions } from './sessions/list-sessions.ts';
import type { RequireLogin } from './sign-in/identify.ts';
import { publicUser, signIn, signOut, type SignInDeps } from './sign-in/sign-in.ts';

export interface RouteDeps {
  readonly signIn: SignInDeps;
  readonly grants: GrantRouteDeps;
  readonly requireLogin: RequireLogin;
  readonly directory: MachineDirectory;
  readonly decide: Decide;
  readonly access: () => Access;
  readonly sessions: EndRouteDeps;
  readonly power: PowerRouteDeps;
}

/** The whole HTTP API on one screen. */
export function createRoutes(deps: RouteDeps): Router<RequestState> {
  const router = new Router<RequestState>({ prefix: '/api/v1', sensitive: true, strict: true });
  router.post('/login', readJson(), signIn(deps.signIn));
  router.post('/logout', signOut(deps.signIn));
  router.get('/me', me(deps));
  router.get('/consoles', consoles(deps));
  router.post('/consoles/:cluster/:vmid/grants', readJson(), createGrant(deps.grants));
  router.post('/consoles/:cluster/:vmid/power', readJson(), powerMachine(deps.power));
  router.get('/consoles/:cluster/:vmid/power/:task', followPower(deps.power));
  router.get('/access/explain', explainAccess(deps));
  router.get('/sessions', listSessions(deps.sessions));
  router.delete('/sessions', endSessions(deps.sessions));
  router.delete('/sessions/:id', endSession(deps.sessions));
  return router;
}

function me({ requireLogin, access }: RouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'me';
    const { user } = await requireLogin(ctx);
    ctx.body = { user: publicUser(user), oversees: access().oversees(user) };
  };
}

function consoles({ requireLogin, directory, decide }: RouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'consoles';
    const { user } = await requireLogin(ctx);
    const listing = await directory.look();
    ctx.body = {
      consoles: visibleConsoles(listing, user, decide),
      ...(listing.stale ? { stale: true } : {}),
    };
  };
}
