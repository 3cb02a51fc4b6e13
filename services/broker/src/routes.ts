import { Router } from '@koa/router';
import type { AuditTrail } from '@porthole/shared/audit/trail';
import type { Access, Decide } from './access/decide.ts';
import { explainAccess } from './consoles/explain-access.ts';
import { embedTokenHeader } from './grants/requester.ts';
import { createGrant, type GrantRouteDeps } from './grants/create-grant.ts';
import { redeemEmbedCode } from './grants/redeem-embed-code.ts';
import type { RequestState, Step } from './http/context.ts';
import { readJson } from './http/read-json.ts';
import type { MachineDirectory } from './machines/directory.ts';
import { visibleConsoles } from './consoles/list-consoles.ts';
import { showPowerTask, startPowerAction, type PowerRouteDeps } from './power/power-route.ts';
import { endSession, endSessions, type EndSessionsDeps } from './sessions/end-sessions.ts';
import { listSessions } from './sessions/list-sessions.ts';
import { signOutUser } from './sessions/sign-out-user.ts';
import { readAudit } from './audit/read-audit.ts';
import type { RequireLogin } from './sign-in/identify.ts';
import { endLogin, listLogins, type OwnLoginsDeps } from './sign-in/own-logins.ts';
import { publicUser, signIn, type SignInDeps } from './sign-in/sign-in.ts';
import { signOut, type SignOutDeps } from './sign-in/sign-out.ts';
import { listOffers, type Offer, type Way } from './sign-in/ways.ts';

export interface RouteDeps {
  readonly signIn: SignInDeps;
  readonly signOut: SignOutDeps;
  readonly logins: OwnLoginsDeps['logins'];
  readonly offers: readonly Offer[];
  readonly ways: readonly Pick<Way, 'mount'>[];
  readonly handover: Parameters<typeof redeemEmbedCode>[0];
  readonly grants: GrantRouteDeps;
  readonly requireLogin: RequireLogin;
  readonly directory: MachineDirectory;
  readonly decide: Decide;
  readonly access: () => Access;
  readonly sessions: EndSessionsDeps;
  readonly power: PowerRouteDeps;
  readonly trail: Pick<AuditTrail, 'latest'>;
}

/** The whole HTTP API on one screen. */
export function createRoutes(deps: RouteDeps): Router<RequestState> {
  const router = new Router<RequestState>({ prefix: '/api/v1', sensitive: true, strict: true });
  router.post('/login', readJson(), signIn(deps.signIn));
  router.get('/login', listOffers(deps.offers));
  for (const way of deps.ways) way.mount(router);
  router.post('/logout', signOut(deps.signOut));
  router.get('/me/logins', listLogins(deps));
  router.delete('/me/logins/:id', endLogin(deps));
  router.delete('/logins', signOutUser({ ...deps.sessions, logins: deps.logins }));
  router.post('/handover', readJson(), redeemEmbedCode(deps.handover));
  router.get('/me', me(deps));
  router.get('/consoles', consoles(deps));
  router.post('/consoles/:cluster/:vmid/grants', readJson(), createGrant(deps.grants));
  router.post('/consoles/:cluster/:vmid/power', readJson(), startPowerAction(deps.power));
  router.get('/consoles/:cluster/:vmid/power/:task', showPowerTask(deps.power));
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
    ctx.body = { user: publicUser(user), oversees: access().managesSessions(user) };
  };
}

function consoles({ requireLogin, directory, decide, grants: { passes } }: RouteDeps): Step {
  return async (ctx) => {
    ctx.state.route = 'consoles';
    const pass = ctx.get(embedTokenHeader);
    const facts = pass === '' ? undefined : await passes.open(pass);
    const { user } = facts ?? (await requireLogin(ctx));
    ctx.state.user = user;
    const listing = await directory.list();
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
