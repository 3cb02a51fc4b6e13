import type { Router } from '@koa/router';
import Koa from 'koa';
import type { RequestListener } from 'node:http';
import type { Config } from '@porthole/shared/config/schema';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { allPlatformOrigins } from '../lti/platforms.ts';
import type { BrokerMetrics } from '../metrics.ts';
import { answerErrors } from './answer-errors.ts';
import type { RequestState, Step } from './context.ts';
import { allowCrossOrigin } from './cors.ts';
import { logRequests } from './log-requests.ts';
import { removeBasePath } from './remove-base-path.ts';
import { requireSameOrigin } from './require-same-origin.ts';
import { securityHeaders } from './security-headers.ts';

/** Creates the HTTP application: all middleware, in order, around the routes and the pages. */
export function createApp(deps: {
  readonly config: Config;
  readonly relayOrigin: string;
  readonly routers: readonly Router<RequestState>[];
  readonly pages: Step;
  /** See require-same-origin.ts. */
  readonly crossSitePaths: readonly RegExp[];
  readonly log: Log;
  readonly metrics: BrokerMetrics;
  readonly random: RandomBytes;
  readonly clock: Clock;
}): RequestListener {
  const { config, routers, log } = deps;
  const { publicUrl, frameAncestors } = config;
  const platformOrigins = allPlatformOrigins(config.lti);
  const app = new Koa<RequestState>({
    // Each trusted proxy appends one entry to X-Forwarded-For. Clients can forge the entries to the left of these.
    proxy: config.trustedProxies > 0,
    maxIpsCount: config.trustedProxies,
  });
  app.silent = true;
  app.on('error', (error: Error) => log.warn({ err: error }, 'cannot send a response'));
  app.use(logRequests(deps));
  app.use(removeBasePath(publicUrl));
  app.use(securityHeaders({ publicUrl, relayOrigin: deps.relayOrigin, frameAncestors, platformOrigins }));
  app.use(allowCrossOrigin(config.allowedOrigins));
  app.use(answerErrors(log));
  app.use(forbidApiCaching);
  app.use(
    requireSameOrigin(publicUrl, { crossSitePaths: deps.crossSitePaths, formPaths: /^\/lti\/sign-in$/ }),
  );
  for (const router of routers) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  app.use(deps.pages);
  const handle = app.callback();
  // Never rejects: `answerErrors` handles thrown errors, and Koa reports the rest through `error`.
  return (request, response) => void handle(request, response);
}

const forbidApiCaching: Step = async (ctx, next) => {
  if (ctx.path.startsWith('/api/')) ctx.set('cache-control', 'no-store');
  await next();
};
