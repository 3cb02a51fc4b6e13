import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import type { Audit } from '@porthole/shared/audit/audit';
import type { Config } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Store } from '@porthole/shared/store/ports';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { Access, Decide } from '../access/decide.ts';
import { createClassMachines } from '../classes/class-machines.ts';
import { BadRequest } from '../http/bad-request.ts';
import type { Context, RequestState, Step } from '../http/context.ts';
import { readJson } from '../http/read-json.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { BrokerMetrics } from '../metrics.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import type { Logins } from '../sign-in/logins/logins.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import { answerSelection, createOfferSelection, type DeepLinkingDeps } from './deep-linking.ts';
import { createLaunchCookie } from './launch-cookie.ts';
import { confirmLaunch, handleLaunch, signInByLaunch, type LaunchDeps } from './launch-route.ts';
import { beginLaunch } from './login-route.ts';
import { createOpenTarget } from './open-target.ts';
import type { PageFile } from '../pages/load-pages.ts';
import { sendStep, type PageStep } from './page-step.ts';
import { createPendingLaunches } from './pending-launches.ts';
import { maxPageBytes, readRoster } from './read-roster.ts';
import { createRosters, withRosterGroups, type Rosters } from './rosters.ts';
import { createToolKeys, type ToolKeys } from './tool-keys.ts';
import { createLaunchVerifier } from './verify-launch.ts';

export interface LtiDeps {
  readonly config: Config;
  readonly store: Store;
  readonly keys: SealKeys;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: BrokerMetrics;
  readonly logins: Logins;
  readonly embedTokens: EmbedTokens;
  readonly directory: MachineDirectory;
  readonly access: () => Access;
  readonly decide: Decide;
  /** The built page. Undefined until the start. */
  readonly page: () => PageFile | undefined;
}

export interface Lti {
  /** The routes below /lti. */
  readonly router: Router<RequestState>;
  /** Adds the groups that users have at learning platforms. */
  readonly withGroups: (requireLogin: RequireLogin) => RequireLogin;
}

/** Paths to which platforms send browsers, from other sites. None of them acts with the cookie of a sign-in. */
export const crossSiteLtiPaths = /^\/lti\/(login|launch)$/;

/** Creates everything about learning platforms. Undefined if none is configured. */
export function createLti(deps: LtiDeps): Lti | undefined {
  const { lti, publicUrl, limits } = deps.config;
  if (!lti) return undefined;
  const { platforms } = lti;
  const { records, rateLimits } = deps.store;
  const toolKeys = createToolKeys(lti.toolKeys);
  const rosters = createPlatformRosters(deps, toolKeys);
  const classMachines = createClassMachines(deps.directory);
  const common = {
    ...deps,
    publicUrl,
    platforms,
    rateLimits,
    limits,
    toolKeys,
    classMachines,
    pending: createPendingLaunches({ ...deps, records }),
    cookie: createLaunchCookie(publicUrl),
  };
  const deepLinking: DeepLinkingDeps = common;
  const launch: LaunchDeps = {
    ...common,
    verifiers: new Map(platforms.map((each) => [each.name, createLaunchVerifier(each, deps.clock)])),
    openTarget: createOpenTarget(common),
    offerSelection: createOfferSelection(deepLinking),
    noteMemberships: rosters.note,
  };

  const sendPage = (ctx: Context, step: PageStep) => sendStep(ctx, deps.page(), step);
  const page = showErrors(deps, sendPage);
  const json = showErrors(deps, sendJson);
  const login = respond(beginLaunch(common), sendPage);
  const router = new Router<RequestState>({ prefix: '/lti', sensitive: true, strict: true });
  router.get('/login', page, login);
  router.post('/login', page, readForm(), login);
  router.post('/launch', page, readForm(), respond(handleLaunch(launch), sendPage));
  router.post('/confirm', json, readJson(), respond(confirmLaunch(launch), sendJson));
  router.post('/sign-in', page, readForm(), respond(signInByLaunch(launch), sendPage));
  router.post('/select', json, readJson(), respond(answerSelection(deepLinking), sendJson));
  router.get('/jwks', async (ctx) => {
    ctx.state.route = 'lti';
    ctx.set('cache-control', 'public, max-age=300');
    ctx.body = await toolKeys.jwks();
  });
  return { router, withGroups: (requireLogin) => withRosterGroups(requireLogin, rosters) };
}

function createPlatformRosters(deps: LtiDeps, toolKeys: ToolKeys): Rosters {
  const platforms = deps.config.lti?.platforms ?? [];
  const readers = new Map(
    platforms.map((platform) => {
      const fetch = createBoundedFetch(platform.caFile, maxPageBytes);
      return [
        platform.name,
        { fetch, accessToken: createAccessTokens(platform, { ...deps, fetch, toolKeys }) },
      ];
    }),
  );
  return createRosters({
    ...deps,
    platforms,
    read(platform, url) {
      const reader = readers.get(platform.name);
      if (!reader) throw new PortholeError('lti_platform_unknown');
      return readRoster(platform, url, reader);
    },
  });
}

type Send = (ctx: Context, step: PageStep) => void;

function respond(handle: (ctx: Context) => Promise<PageStep | undefined>, send: Send): Step {
  return async (ctx) => {
    const step = await handle(ctx);
    if (step) send(ctx, step);
  };
}

/** Users see the responses, so an error is a step of the page, too. */
function showErrors({ log }: Pick<LtiDeps, 'log'>, send: Send): Step {
  return async (ctx, next) => {
    ctx.state.route = 'lti';
    ctx.set('cache-control', 'no-store');
    try {
      await next();
    } catch (thrown) {
      const error = asPortholeError(thrown);
      const { code, detail, status, message } = error;
      const { requestId } = ctx.state;
      if (code === 'internal')
        log.error({ requestId, err: error.cause ?? error }, 'a launch failed unexpectedly');
      else log.info({ requestId, code, detail }, 'a launch was refused');
      send(ctx, { step: 'error', code, title: message, requestId });
      ctx.status = status;
      if (error.retryAfter !== undefined) ctx.set('retry-after', String(error.retryAfter));
      // The unread rest of the body must not be parsed as the next request.
      if (code === 'body_too_large') ctx.set('connection', 'close');
    }
  };
}

function sendJson(ctx: Context, step: PageStep): void {
  ctx.body = step;
}

/** The form that a platform or the page posts. */
function readForm(): Step {
  return bodyParser({
    enableTypes: ['form'],
    formLimit: '64kb',
    onError(error) {
      if ((error as { status?: unknown }).status === 413) throw new PortholeError('body_too_large');
      throw new BadRequest('the body is not a form');
    },
  });
}
