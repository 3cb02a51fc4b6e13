import { Router } from '@koa/router';
import type { AuditTrail } from '@porthole/shared/audit/trail';
import type { Access, Decide } from './access/decide.ts';
import { explainAccess } from './explain-access.ts';
import { embedTokenHeader } from './grants/asker.ts';
import { createGrant, type GrantRouteDeps } from './grants/create-grant.ts';
import { redeemEmbedCode } from './grants/redeem-embed-code.ts';
import type { RequestState, Step } from './http/context.ts';
import { readJson } from './http/read-json.ts';
import { toPublicUser } from './identity/user.ts';
import type { MachineDirectory } from './machines/directory.ts';
import { visibleConsoles } from './machines/visible-consoles.ts';
import { followPower, powerMachine, type PowerRouteDeps } from './power/power-route.ts';
import { endSession, endSessions, type EndRouteDeps } from './sessions/end-sessions.ts';
import { listSessions } from './sessions/list-sessions.ts';
import { signOutUser } from './sessions/sign-out-user.ts';
import { readAudit } from './read-audit.ts';
import type { RequireLogin } from './sign-in/require-login.ts';
import type { SignInRouteDeps } from './sign-in/create-sign-in.ts';
import { signInWithPassword } from './sign-in/local/sign-in-with-password.ts';
import { endOwnLogin, listOwnLogins } from './sign-in/logins/own-logins.ts';
import { signOut } from './sign-in/logins/sign-out.ts';
import { listSignInMethods } from './sign-in/sign-in-methods.ts';

export interface RouteDeps extends SignInRouteDeps {
  readonly grants: GrantRouteDeps;
  readonly requireLogin: RequireLogin;
  readonly directory: MachineDirectory;
  readonly decide: Decide;
  readonly access: () => Access;
  readonly sessions: EndRouteDeps;
  readonly power: PowerRouteDeps;
  readonly trail: Pick<AuditTrail, 'latest'>;
}

/** The whole HTTP API on one screen. */
export function createRoutes(deps: RouteDeps): Router<RequestState> {
  const router = new Router<RequestState>({ prefix: '/api/v1', sensitive: true, strict: true });
  router.post('/login', readJson(), signInWithPassword(deps.signIn));
  router.get('/login', listSignInMethods(deps.signInMethodInfos));
  for (const method of deps.signInMethods) method.mount(router);
  router.post('/logout', signOut(deps.signOut));
  router.get('/me/logins', listOwnLogins(deps));
  router.delete('/me/logins/:id', endOwnLogin(deps));
  router.delete('/logins', signOutUser({ ...deps.sessions, logins: deps.logins }));
  router.post('/handover', readJson(), redeemEmbedCode(deps.redeemEmbedCode));
  router.get('/me', me(deps));
  router.get('/consoles', consoles(deps));
  router.post('/consoles/:cluster/:vmid/grants', readJson(), createGrant(deps.grants));
  router.post('/consoles/:cluster/:vmid/power', readJson(), powerMachine(deps.power));
  router.get('/consoles/:cluster/:vmid/power/:task', followPower(deps.power));
  router.get('/access/explain', explainAccess(deps));
  router.get('/audit', readAudit({ ...deps.sessions, trail: deps.trail }));
  router.get('/sessions', listSessions(deps.sessions));
  router.delete('/sessions', endSessions(deps.sessions));
  router.delete('/sessions/:id', endSession(deps.sessions));
  return router;
}

function me({ requireLogin, access }: RouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'me';
    const { user } = await requireLogin(ctx);
    ctx.body = { user: toPublicUser(user), oversees: access().oversees(user) };
  };
}

function consoles({ requireLogin, directory, decide, grants: { embedTokens: passes } }: RouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'consoles';
    const pass = ctx.get(embedTokenHeader);
    const facts = pass === '' ? undefined : await passes.read(pass);
    const { user } = facts ?? (await requireLogin(ctx));
    ctx.state.user = user;
    const listing = await directory.look();
    const visible = visibleConsoles(listing, user, decide);
    ctx.body = {
      // Whom a program let in to one machine sees that one.
      consoles: facts
        ? visible.filter(({ cluster, vmid }) => cluster === facts.cluster && vmid === facts.vmid)
        : visible,
      ...(listing.stale ? { stale: true } : {}),
      ...(listing.staleSeconds === undefined ? {} : { staleSeconds: listing.staleSeconds }),
      ...(listing.incomplete ? { incomplete: true } : {}),
    };
  };
}
