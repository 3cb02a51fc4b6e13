import { Router } from '@koa/router';
import type { AuditTrail } from '@porthole/shared/audit/trail';
import type { Access, Decide } from './access/decide.ts';
import { readAudit } from './audit/read-audit.ts';
import { actOnClass, type ClassRouteDeps } from './classes/act-on-class.ts';
import { listClasses } from './classes/list-classes.ts';
import { openWall, type WallRouteDeps } from './classes/open-wall.ts';
import { explainAccess } from './consoles/explain-access.ts';
import { listConsoles } from './consoles/list-consoles.ts';
import { changeControl, type ChangeControlDeps } from './control/change-control.ts';
import { createGrant, type GrantRouteDeps } from './grants/create-grant.ts';
import { redeemEmbedCode } from './grants/redeem-embed-code.ts';
import type { RequestState } from './http/context.ts';
import { readJson } from './http/read-json.ts';
import type { MachineDirectory } from './machines/directory.ts';
import { showPowerTask, startPowerAction, type PowerRouteDeps } from './power/power-route.ts';
import type { ListRecordingsDeps } from './recordings/list-recordings.ts';
import { addRecordingRoutes } from './recordings/recording-routes.ts';
import { endSession, endSessions, type EndSessionsDeps } from './sessions/end-sessions.ts';
import { listSessions } from './sessions/list-sessions.ts';
import { signOutUser } from './sessions/sign-out-user.ts';
import type { SignInRouteDeps } from './sign-in/create-sign-in.ts';
import type { EmbedTokens } from './sign-in/embed-tokens.ts';
import { signInWithPassword } from './sign-in/local/sign-in-with-password.ts';
import { endOwnLogin, listOwnLogins } from './sign-in/logins/own-logins.ts';
import { signOut } from './sign-in/logins/sign-out.ts';
import type { RequireLogin } from './sign-in/require-login.ts';
import { showCurrentUser } from './sign-in/show-current-user.ts';
import { listSignInMethods } from './sign-in/sign-in-methods.ts';

export interface RouteDeps {
  readonly requireLogin: RequireLogin;
  readonly embedTokens: EmbedTokens;
  readonly access: () => Access;
  readonly decide: Decide;
  readonly directory: MachineDirectory;
  readonly trail: Pick<AuditTrail, 'latest'>;
  readonly signIn: SignInRouteDeps;
  readonly grants: GrantRouteDeps;
  readonly power: PowerRouteDeps;
  readonly sessions: EndSessionsDeps;
  readonly control: ChangeControlDeps;
  readonly classes: ClassRouteDeps & WallRouteDeps;
  /** Undefined: the installation has no storage of recordings. */
  readonly recordings: ListRecordingsDeps | undefined;
}

/** The routes of the HTTP API. */
export function createRoutes(deps: RouteDeps): Router<RequestState> {
  const { signIn, grants, power, sessions, control, classes, recordings, trail } = deps;
  const ownLogins = { requireLogin: deps.requireLogin, logins: signIn.logins };
  const router = new Router<RequestState>({ prefix: '/api/v1', sensitive: true, strict: true });

  router.get('/login', listSignInMethods(signIn.signInMethodInfos));
  router.post('/login', readJson(), signInWithPassword(signIn.signIn));
  for (const method of signIn.signInMethods) method.mount(router);
  router.post('/logout', signOut(signIn.signOut));
  router.delete('/logins', signOutUser({ ...sessions, logins: signIn.logins }));
  router.get('/me', showCurrentUser({ ...deps, hasRecordings: recordings !== undefined }));
  router.get('/me/logins', listOwnLogins(ownLogins));
  router.delete('/me/logins/:id', endOwnLogin(ownLogins));

  router.get('/consoles', listConsoles({ ...deps, rateLimits: sessions.rateLimits }));
  router.post('/consoles/:cluster/:vmid/grants', readJson(), createGrant(grants));
  router.post('/consoles/:cluster/:vmid/power', readJson(), startPowerAction(power));
  router.get('/consoles/:cluster/:vmid/power/:task', showPowerTask(power));
  router.post('/embed-tokens', readJson(), redeemEmbedCode(signIn.redeemEmbedCode));

  router.get('/sessions', listSessions(sessions));
  router.delete('/sessions', endSessions(sessions));
  router.delete('/sessions/:id', endSession(sessions));
  router.post('/sessions/:id/control', readJson(), changeControl(control));
  router.get('/classes', listClasses(classes));
  router.post('/classes/:name/actions', readJson(), actOnClass(classes));
  router.post('/classes/:name/wall', readJson(), openWall(classes));
  router.get('/access/explain', explainAccess(deps));
  router.get('/audit', readAudit({ ...sessions, trail }));
  if (recordings) addRecordingRoutes(router, recordings);
  return router;
}
