import Koa from 'koa';
import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { combineAudits, type Audit } from '@porthole/shared/audit/audit';
import { createAuditTrail } from '@porthole/shared/audit/trail';
import type { Clock } from '@porthole/shared/time/clock';
import { ConfigError, grantKeysOf } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Readiness } from '@porthole/shared/http/operations-server';
import { warnAboutInsecureTls } from '@porthole/shared/proxmox/warn-insecure-tls';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createSessionRecords } from '@porthole/shared/session/records';
import { noTracing, type Tracing } from '@porthole/shared/telemetry/tracing';
import { createStoreReadiness } from '@porthole/shared/store/readiness';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import type { Decide } from './access/decide.ts';
import { createRules } from './access/rules.ts';
import { checkBrokerConfig } from './check-config.ts';
import { relayUrlOf } from './grants/relay-url.ts';
import { answerErrors } from './http/answer-errors.ts';
import type { RequestState, Step } from './http/context.ts';
import { logRequests } from './http/log-requests.ts';
import { requireSameOrigin } from './http/require-same-origin.ts';
import { securityHeaders } from './http/security-headers.ts';
import { allowCrossOrigin } from './http/cors.ts';
import { connectKubernetes } from './kubernetes/client.ts';
import { createKubernetesHand } from './kubernetes/hand.ts';
import { createClusters } from './machines/clusters.ts';
import { createMachineDirectory } from './machines/directory.ts';
import { createBrokerMetrics, type BrokerMetrics } from './metrics.ts';
import { loadPages, type PageFiles } from './pages/load-pages.ts';
import { servePages } from './pages/serve-pages.ts';
import { createRoutes } from './routes.ts';
import { createLiveSessions } from './sessions/live-sessions.ts';
import { createSignIn } from './sign-in/create-sign-in.ts';

export interface BrokerDeps {
  readonly config: Config;
  /** Default: the configured ones. A process that is broker and relay at once may make some up instead. */
  readonly keys?: SealKeys;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: nothing is written down. */
  readonly audit?: Audit;
  /** The pages as `npm run build:pages` leaves them. */
  readonly pagesDir: string;
}

export interface Broker {
  readonly onRequest: RequestListener;
  /** To be started before requests come. The store is not among them. */
  readonly components: readonly LifecycleComponent[];
  readonly readiness: Readiness;
  /** What is wrong and yet keeps nobody out. */
  readonly notes: () => readonly string[];
}

/** Throws ConfigError when the configuration can't be meant. */
export function createBroker(deps: BrokerDeps): Broker {
  const { config, store, clock, random, log, tracing = noTracing } = deps;
  checkBrokerConfig(config);
  const keys = deps.keys ?? configuredKeys(config);
  const trail = createAuditTrail({ service: 'broker', store, keys, random, clock });
  const audit = combineAudits(deps.audit, trail.record);
  const metrics = createBrokerMetrics(deps.registry);
  const clusters = createClusters({
    clusters: config.clusters,
    clock,
    log,
    onRefresh: metrics.listRefresh,
    metrics: metrics.proxmox,
  });
  metrics.observeListAge(() => [...clusters.lists].map(([name, list]) => [name, list.age()] as const));
  const pages = createPages(deps.pagesDir);

  const directory = createMachineDirectory(clusters.lists);
  const rules = createRules({ config, clock, log, audit, onReload: metrics.rulesReload });
  metrics.observeRulesInvalid(() => rules.fault() !== undefined);
  const decide: Decide = (subject, target) => rules.current().decide(subject, target);
  const signIn = createSignIn({ ...deps, clients: clusters.clients, keys, audit, metrics });
  const { requireLogin, embedTokens: passes } = signIn;
  const router = createRoutes({
    ...signIn.routes,
    trail,
    requireLogin,
    directory,
    decide,
    access: () => rules.current(),
    power: {
      requireLogin,
      directory,
      decide,
      clients: clusters.clients,
      keys,
      random,
      rateLimits: store.rateLimits,
      metrics,
      audit,
      log,
    },
    sessions: {
      requireLogin,
      directory,
      access: () => rules.current(),
      live: createLiveSessions({
        records: createSessionRecords({ records: store.records, leases: store.leases, keys, random }),
        clock,
      }),
      ends: signIn.terminationOrders,
      rateLimits: store.rateLimits,
      audit,
      showOperatorName: config.showOperatorName,
    },
    grants: {
      config,
      store,
      keys,
      clock,
      random,
      requireLogin,
      embedTokens: passes,
      directory,
      decide,
      metrics,
      tracing,
      audit,
    },
  });

  const app = new Koa<RequestState>({
    // Without proxies in front, X-Forwarded-For is whatever the sender likes. With them, as many entries from the
    // right are true as there are proxies; the leftmost of these is the sender.
    proxy: config.trustedProxies > 0,
    maxIpsCount: config.trustedProxies,
  });
  app.silent = true;
  app.on('error', (error: Error) => log.warn({ err: error }, 'an answer could not be sent'));
  app.use(logRequests({ log, metrics, random, clock }));
  app.use(
    securityHeaders({
      publicUrl: config.publicUrl,
      relayOrigin: relayUrlOf(config).origin,
      frameAncestors: config.frameAncestors,
    }),
  );
  app.use(allowCrossOrigin(config.allowedOrigins));
  app.use(answerErrors(log));
  app.use(neverStoreApi);
  app.use(requireSameOrigin(config.publicUrl, signIn.serverToServerPaths));
  app.use(router.routes());
  app.use(router.allowedMethods());
  app.use(servePages(pages.files));

  const handle = app.callback();
  const firstAnswer = createStoreReadiness(store);
  return {
    // It never rejects: what a step throws is answered above, what fails beyond is told to `error`.
    onRequest: (request, response) => void handle(request, response),
    components: [
      { name: 'warnings', start: async () => warnAboutInsecureTls(config.clusters, log) },
      clusters.part,
      rules.part,
      pages.part,
      ...kubernetesParts(deps, metrics),
    ],
    async readiness() {
      // Proxmox may be away: people still sign in and see their machines, and another pod could do no better.
      return [...(await firstAnswer()), ...(pages.files() ? [] : ['the pages are not loaded'])];
    },
    // Not a reason to be not ready: every pod reads the same file.
    notes: () => [rules.fault() ?? []].flat(),
  };
}

function configuredKeys({ grantKeys }: Config): SealKeys {
  if (!grantKeys) throw new ConfigError(['grantKeys: is needed to seal sign-ins and grants']);
  return grantKeysOf(grantKeys);
}

const neverStoreApi: Step = async (ctx, next) => {
  if (ctx.path.startsWith('/api/')) ctx.set('cache-control', 'no-store');
  await next();
};

function kubernetesParts(deps: BrokerDeps, metrics: BrokerMetrics): LifecycleComponent[] {
  const { config, store, clock, random, log } = deps;
  const settings = config.kubernetes;
  if (!settings) return [];
  return [
    createKubernetesHand({
      connect: () => connectKubernetes(settings),
      identity: config.instance ?? randomId(random, 12),
      consolesOf: (relay) => store.leases.count(leaseNames.relay(relay)),
      clock,
      log,
      metrics,
    }),
  ];
}

function createPages(folder: string): { part: LifecycleComponent; files: () => PageFiles | undefined } {
  let files: PageFiles | undefined;
  return {
    part: {
      name: 'pages',
      async start() {
        files = await loadPages(folder);
      },
    },
    files: () => files,
  };
}
