import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { basePathOf } from '@porthole/shared/http/base-path';
import { combineAudits, type Audit } from '@porthole/shared/audit/audit';
import { createAuditTrail } from '@porthole/shared/audit/trail';
import { ConfigError, grantKeysOf } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import type { Readiness } from '@porthole/shared/http/operations-server';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { warnAboutInsecureTls } from '@porthole/shared/proxmox/warn-insecure-tls';
import { createMachineControls } from '@porthole/shared/control/machine-controls';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createSessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Store } from '@porthole/shared/store/ports';
import { createStoreReadiness } from '@porthole/shared/store/readiness';
import type { Log } from '@porthole/shared/telemetry/log';
import { noTracing, type Tracing } from '@porthole/shared/telemetry/tracing';
import type { Clock } from '@porthole/shared/time/clock';
import type { Decide } from './access/decide.ts';
import { createAccessRules } from './access/rules.ts';
import { createClassRoutes } from './classes/create-class-routes.ts';
import { checkBrokerConfig } from './config/check-config.ts';
import { relayUrlOf } from './grants/relay-url.ts';
import { createApp } from './http/create-app.ts';
import { connectKubernetes } from './kubernetes/client.ts';
import { createPodDeletionCostController } from './kubernetes/pod-deletion-cost-controller.ts';
import { createClusters } from './machines/clusters.ts';
import { createMachineDirectory } from './machines/directory.ts';
import { createBrokerMetrics, type BrokerMetrics } from './metrics.ts';
import { createPages } from './pages/pages.ts';
import { servePages } from './pages/serve-pages.ts';
import { createRecordings } from './recordings/create-recordings.ts';
import { createRoutes } from './routes.ts';
import { createLti, crossSiteLtiPaths } from './lti/create-lti.ts';
import { createLiveSessions } from './sessions/live-sessions.ts';
import { createSignIn } from './sign-in/create-sign-in.ts';

export interface BrokerDeps {
  readonly config: Config;
  /** Default: the keys of the configuration. A standalone process can generate its own. */
  readonly keys?: SealKeys;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: no audit log. */
  readonly audit?: Audit;
  /** The output of `npm run build:pages`. */
  readonly pagesDir: string;
}

export interface Broker {
  readonly onRequest: RequestListener;
  /** Start them before the first request. The caller starts the store. */
  readonly components: readonly LifecycleComponent[];
  readonly readiness: Readiness;
  /** Problems that do not affect readiness. */
  readonly notes: () => readonly string[];
}

/** Creates the broker. Throws ConfigError if the configuration is invalid. */
export function createBroker(deps: BrokerDeps): Broker {
  const { config, store, clock, random, log, tracing = noTracing } = deps;
  checkBrokerConfig(config);
  const keys = deps.keys ?? configuredKeys(config);

  const trail = createAuditTrail({ service: 'broker', store, keys, random, clock });
  const audit = combineAudits(deps.audit, trail.record);
  const metrics = createBrokerMetrics(deps.registry);
  const clusters = createClusters({ config, clock, log, metrics });
  const directory = createMachineDirectory(clusters.lists);
  const rules = createAccessRules({ config, clock, log, audit, onReload: metrics.rulesReload });
  const access = rules.current;
  const decide: Decide = (subject, target) => access().decide(subject, target);
  const signIn = createSignIn({ ...deps, clients: clusters.clients, keys, audit, metrics });
  const sessionRecords = createSessionRecords({ ...store, keys, random });
  const basePath = basePathOf(config.publicUrl);
  const pages = createPages(deps.pagesDir, basePath);
  const storeReadiness = createStoreReadiness(store);

  metrics.observeListAge(() => [...clusters.lists].map(([name, list]) => [name, list.ageSeconds()] as const));
  metrics.observeRulesInvalid(() => rules.reloadError() !== undefined);

  const { rateLimits } = store;
  const { embedTokens, terminationOrders } = signIn;
  const common = { config, store, keys, clock, random, log, metrics, tracing, audit, rateLimits };
  const lti = createLti({
    ...common,
    embedTokens,
    directory,
    access,
    decide,
    logins: signIn.routes.logins,
    page: () => pages.files()?.get('lti.html'),
  });
  const requireLogin = lti ? lti.withGroups(signIn.requireLogin) : signIn.requireLogin;
  const users = { requireLogin, embedTokens, directory, access, decide };
  const live = createLiveSessions({ records: sessionRecords, clock });
  const { records, signals: bus } = store;
  const signals = createConsoleSignals({ bus, keys, random, clock });
  const controls = createMachineControls({ records, signals, keys, random });
  const { showOperatorName } = config;
  const classes = createClassRoutes({
    ...common,
    ...users,
    clients: clusters.clients,
    live,
    showOperatorName,
  });
  const recordings = config.recordings
    ? createRecordings(config.recordings, { ...common, ...users, live, leases: store.leases })
    : undefined;
  const router = createRoutes({
    ...users,
    trail,
    signIn: signIn.routes,
    grants: { ...common, ...users, states: classes.routes.states },
    power: { ...common, ...users, clients: clusters.clients },
    sessions: { ...common, ...users, live, terminationOrders, showOperatorName },
    control: { ...common, ...users, live, controls, showOperatorName },
    classes: classes.routes,
    recordings: recordings?.routes,
  });

  return {
    onRequest: createApp({
      ...common,
      relayOrigin: relayUrlOf(config).origin,
      routers: [router, ...(lti ? [lti.router] : [])],
      pages: servePages(pages.files, basePath),
      crossSitePaths: [signIn.serverToServerPaths, crossSiteLtiPaths],
    }),
    components: [
      { name: 'warnings', start: async () => warnAboutInsecureTls(config.clusters, log) },
      clusters.component,
      rules.component,
      pages.component,
      ...classes.components,
      ...(recordings?.components ?? []),
      ...kubernetesComponents(deps, metrics),
    ],
    async readiness() {
      // Proxmox does not count: without it, users still sign in and see their machines, on every pod alike.
      return [...(await storeReadiness()), ...(pages.files() ? [] : ['the pages are not loaded'])];
    },
    // Invalid rules do not count either, because every pod reads the same file.
    notes: () => [rules.reloadError() ?? []].flat(),
  };
}

function configuredKeys({ grantKeys }: Config): SealKeys {
  if (!grantKeys) throw new ConfigError(['grantKeys: is required to seal sign-ins and grants']);
  return grantKeysOf(grantKeys);
}

function kubernetesComponents(
  { config, store, clock, random, log }: BrokerDeps,
  metrics: BrokerMetrics,
): readonly LifecycleComponent[] {
  const settings = config.kubernetes;
  if (!settings) return [];
  return [
    createPodDeletionCostController({
      connect: () => connectKubernetes(settings),
      identity: config.instance ?? randomId(random, 12),
      countConsoles: (relay) => store.leases.count(leaseNames.relay(relay)),
      clock,
      log,
      metrics,
    }),
  ];
}
