import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { addressKey } from '@porthole/shared/http/address-key';
import { type Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import { basePathOf } from '@porthole/shared/http/base-path';
import { clientAddress } from '@porthole/shared/http/client-address';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Readiness } from '@porthole/shared/http/operations-server';
import { warnAboutInsecureTls } from '@porthole/shared/proxmox/warn-insecure-tls';
import type { UpgradeListener } from '@porthole/shared/http/public-server';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import {
  consolePath,
  consoleProtocol,
  plainProtocol,
  wallPath,
  wallProtocol,
} from '@porthole/shared/protocol/subprotocols';
import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { createStoreReadiness } from '@porthole/shared/store/readiness';
import type { Store } from '@porthole/shared/store/ports';
import { noTracing, type Tracing } from '@porthole/shared/telemetry/tracing';
import { createRelayMetrics } from './metrics.ts';
import { createSharedRecords } from './shared-records.ts';
import { createControlWatcher } from './control/control-watcher.ts';
import { openRecordings } from './recording/relay-recordings.ts';
import { createJoinClasses } from './session/class-membership.ts';
import { createClassWatcher } from './session/class-watcher.ts';
import { LiveSessions } from './session/live-sessions.ts';
import { createTerminationWatcher } from './session/termination-watcher.ts';
import { createSharing } from './sharing/create-sharing.ts';
import { createFrameBatcher } from './stream/frame-batcher.ts';
import { createLinkGauges } from './stream/link-gauges.ts';
import { createRelayClusters } from './upstream/clusters.ts';
import { defaultDeadlines, type Deadlines } from './upstream/deadlines.ts';
import { createDial } from './upstream/dial.ts';
import { createLeaseQueue } from './upstream/lease-queue.ts';
import { createRecentEnds } from './upstream/recent-ends.ts';
import { createUpgradeListener } from './viewer/upgrade.ts';
import { ViewerConnections } from './viewer/viewer-connections.ts';
import { createLiveWalls } from './wall/create-live-walls.ts';

export interface RelayDeps {
  readonly config: Pick<
    Config,
    | 'publicUrl'
    | 'allowedOrigins'
    | 'clusters'
    | 'limits'
    | 'sharing'
    | 'recordings'
    | 'trustedProxies'
    | 'instance'
  >;
  readonly keys: SealKeys;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: no audit output. */
  readonly audit?: Audit;
  readonly deadlines?: Deadlines;
}

export interface Relay {
  readonly onUpgrade: UpgradeListener;
  /** A relay has no pages. */
  readonly onRequest: RequestListener;
  readonly components: readonly LifecycleComponent[];
  readonly readiness: Readiness;
}

/** Connections above the limit of consoles that are still told by a close code why they can't have one. */
const maxExplainedRefusals = 200;
/** Grace period after the last drain message. */
const drainGraceMs = 10_000;

/** Composes the relay: what all sessions share, the live sessions, and the listeners that feed them. */
export function createRelay(deps: RelayDeps): Relay {
  const { config, store, clock, log } = deps;
  const { limits } = config;
  const shared = createSharedState(deps);
  const {
    clusters,
    connections,
    liveSessions,
    liveWalls,
    observers,
    classes,
    control,
    sharing,
    signals,
    terminations,
    metrics,
    recordings,
  } = shared;
  const terminationWatcher = createTerminationWatcher({
    terminations,
    clock,
    sessions: () => [...liveSessions, ...liveWalls],
  });
  const storeReadiness = createStoreReadiness(store);
  const stopListening = new DisposableStack();

  const onUpgrade = createUpgradeListener({
    basePath: basePathOf(config.publicUrl),
    limitRate: (request) =>
      store.rateLimits.spend(
        `upgrade/${addressKey(clientAddress(request, config.trustedProxies))}`,
        limits.upgradesPerMinute,
        60,
      ),
    connections,
    maxConnections: limits.consolesPerRelay + limits.wallsPerRelay + maxExplainedRefusals,
    draining: () => liveSessions.draining,
    closeTimeoutMs: (deps.deadlines ?? defaultDeadlines).closeAnswer,
    onRefused: metrics.refused,
    endpoints: [
      {
        path: consolePath,
        protocols: [consoleProtocol, plainProtocol],
        accept: (...viewer) => liveSessions.accept(...viewer),
      },
      { path: wallPath, protocols: [wallProtocol], accept: (...viewer) => liveWalls.accept(...viewer) },
    ],
  });

  return {
    onUpgrade: (request, socket, head) => void onUpgrade(request, socket, head),
    onRequest: (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The relay serves WebSockets only.\n');
    },
    components: [
      {
        name: 'Proxmox connections',
        async stop() {
          await Promise.all([...clusters.values()].map(({ client }) => client.close()));
        },
      },
      ...sharing.components,
      // Started before the consoles, so it stops after them.
      ...(recordings ? [recordings] : []),
      {
        name: 'consoles',
        stopTimeoutMs: limits.drainSeconds * 1000 + drainGraceMs,
        async start() {
          warnAboutInsecureTls(config.clusters, log);
          stopListening.defer(
            signals.subscribe((signal) => {
              liveSessions.onSignal(signal);
              liveWalls.onSignal(signal);
            }),
          );
          stopListening.defer(terminationWatcher.start());
          stopListening.defer(observers.start());
          stopListening.defer(classes.start());
          stopListening.defer(control.start());
        },
        async stop() {
          await Promise.all([liveSessions.drain(), liveWalls.drain(), sharing.drain()]);
          stopListening.dispose();
        },
      },
    ],
    readiness: async () => (liveSessions.draining ? ['draining'] : storeReadiness()),
  };
}

/**
 * Creates what all sessions of the relay share, and the live sessions themselves. Long, because it names each dependency
 * once.
 */
function createSharedState(deps: RelayDeps) {
  const { config, keys, store, clock, random, log, tracing = noTracing, deadlines = defaultDeadlines } = deps;
  const { limits } = config;
  const { records, leases, rateLimits } = store;
  const { audit, confirmations, controls, observers, sessions, signals, states, terminations, walls } =
    createSharedRecords(deps);
  const connections = new ViewerConnections();
  const linkGauges = createLinkGauges();
  const queue = createLeaseQueue({ leases, clock, stallMs: limits.queueSeconds * 1000 });
  const metrics = createRelayMetrics(deps.registry, {
    draining: () => liveSessions.draining,
    connections: (state) => connections.count(state),
    maxSessions: limits.consolesPerRelay,
    frames: linkGauges.frames,
    buffered: linkGauges.buffered,
    pausedConsoles: () => classes.pausedConsoles(),
    heldBackConsoles: () => control.heldBackConsoles(),
    followingConsoles: () => classes.followingConsoles(),
    clusters: config.clusters.map(({ name }) => name),
    screens: () => sharing.readings,
    recordings: () => recordings?.readings(),
  });
  const recordings = openRecordings(config.recordings, deps, () => metrics);
  const classes = createClassWatcher({ states, clock, metrics });
  const relayId = config.instance ?? randomId(random, 12);
  const control = createControlWatcher({
    controls,
    confirmations,
    sessions,
    signals,
    rateLimits,
    clock,
    metrics,
    relayId,
  });
  const common = { clock, random, log, tracing };
  const clusters = createRelayClusters(config.clusters, { ...common, metrics: metrics.proxmox });
  const sharing = createSharing({
    ...common,
    config,
    store,
    keys,
    metrics,
    deadlines,
    control,
    dial: createDial({ clock, queue, deadlines, tracing, metrics }),
  });
  const origins = new Set([config.publicUrl.origin, ...config.allowedOrigins]);
  const pace = { pingMs: deadlines.ping, drainMs: limits.drainSeconds * 1000 };
  const liveWalls = createLiveWalls({
    ...common,
    ...pace,
    records,
    keys,
    origins,
    walls,
    signals,
    terminations,
    clusters,
    openThumbnail: sharing.openThumbnail,
    audit,
    metrics,
    relayId,
    connections,
    maxWalls: limits.wallsPerRelay,
  });
  const liveSessions = new LiveSessions({
    session: {
      ...common,
      records,
      leases,
      sessions,
      signals,
      terminations,
      observers,
      control,
      joinClasses: createJoinClasses({ watcher: classes, states, rateLimits, clock, metrics }),
      reopenable: createReopenableSessions(leases),
      keys,
      metrics,
      deadlines,
      clusters,
      relayId,
      origins,
      audit,
      linkGauges,
      recordings,
      recentEnds: createRecentEnds(clock),
      dial: sharing.dial,
      viewerHandshakeMs: deadlines.viewerHandshake,
    },
    observers,
    classes,
    control,
    connections,
    clock,
    random,
    metrics,
    batcher: createFrameBatcher(),
    queueLength: () => queue.length,
    maxSessions: limits.consolesPerRelay,
    maxQueued: limits.queuedPerRelay,
    ...pace,
  });
  return {
    clusters,
    connections,
    liveSessions,
    liveWalls,
    metrics,
    recordings,
    observers,
    classes,
    control,
    sharing,
    signals,
    terminations,
  };
}
