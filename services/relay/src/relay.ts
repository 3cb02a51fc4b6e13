import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { addressKey } from '@porthole/shared/http/address-key';
import { combineAudits, type Audit } from '@porthole/shared/audit/audit';
import { createAuditTrail } from '@porthole/shared/audit/trail';
import type { Clock } from '@porthole/shared/time/clock';
import { clientAddress } from '@porthole/shared/http/client-address';
import type { Config } from '@porthole/shared/config/schema';
import { createConsoleSignals, type ConsoleSignal } from '@porthole/shared/session/signals';
import { createTerminationOrders, terminationError } from '@porthole/shared/session/termination-orders';
import { PortholeError } from '@porthole/shared/errors';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Readiness } from '@porthole/shared/http/operations-server';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createLogHosts } from '@porthole/shared/proxmox/log-hosts';
import { createNodeDirectory } from '@porthole/shared/proxmox/nodes';
import { warnOfInsecureClusters } from '@porthole/shared/proxmox/warn-insecure';
import type { UpgradeListener } from '@porthole/shared/http/public-server';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { createSessionRecords } from '@porthole/shared/session/records';
import { createStoreReadiness } from '@porthole/shared/store/readiness';
import type { Store } from '@porthole/shared/store/ports';
import { noTracing, type Tracing } from '@porthole/shared/telemetry/tracing';
import type { Presented } from './session/admit.ts';
import { startConsoleSession, type ConsoleSession, type SessionDeps } from './session/console-session.ts';
import { defaultDeadlines, type Deadlines } from './session/deadlines.ts';
import { createDial } from './upstream/dial.ts';
import { createLeaseLine } from './upstream/lease-queue.ts';
import type { RelayCluster } from './upstream/machine.ts';
import { createEndWatch } from './session/termination-watcher.ts';
import { spreadOver } from './session/stagger-drain.ts';
import { createRelayMetrics } from './metrics.ts';
import type { BrowserSocket } from './viewer/browser-link.ts';
import { createGather } from './stream/gather.ts';
import { createTraffic } from './stream/link-gauges.ts';
import { createUpgradeListener } from './viewer/upgrade.ts';
import { createViewer } from './viewer/viewer.ts';
import { createObserverNotifier } from './session/observers.ts';

export interface RelayDeps {
  readonly config: Pick<
    Config,
    'publicUrl' | 'allowedOrigins' | 'clusters' | 'limits' | 'trustedProxies' | 'instance'
  >;
  readonly keys: SealKeys;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: nothing is written down. */
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

/** Sockets above the limit of consoles that are still told why they can't have one. */
const turnedAwayAtOnce = 200;
/** For what is left to do after the last console was told to move. */
const lastGoodbyesMs = 10_000;

export function createRelay(deps: RelayDeps): Relay {
  const { config, store, clock, log, tracing = noTracing } = deps;
  const { limits } = config;
  const sessions = new Set<ConsoleSession>();
  const gather = createGather();
  const line = createLeaseLine({ leases: store.leases, clock });
  const { keys, random } = deps;
  const { records, leases } = store;
  const signals = createConsoleSignals({ bus: store.signals, keys, random, clock });
  const ends = createTerminationOrders({ records, signals, keys, random, clock });
  const sessionRecords = createSessionRecords({ records, leases, keys, random });
  const trail = createAuditTrail({ service: 'relay', store, keys, random, clock });
  const observers = createObserverNotifier({ sessions: sessionRecords, signals, clock });
  const endWatch = createEndWatch({ ends, clock, consoles: () => sessions });
  const firstAnswer = createStoreReadiness(store);
  const traffic = createTraffic();
  let draining = false;
  const stopListening: (() => void)[] = [];

  const metrics = createRelayMetrics(deps.registry, {
    draining: () => draining,
    sockets: () => sessions.size,
    socketsLimit: config.limits.consolesPerRelay,
    frames: traffic.frames,
    buffered: traffic.buffered,
    clusters: config.clusters.map(({ name }) => name),
  });
  const clusters = new Map(config.clusters.map((cluster) => [cluster.name, createRelayCluster(cluster)]));
  const deadlines = deps.deadlines ?? defaultDeadlines;
  const sessionDeps: SessionDeps = {
    records,
    leases,
    sessions: sessionRecords,
    observers,
    signals,
    ends,
    relayId: config.instance ?? randomId(random, 12),
    keys,
    random,
    clock,
    log,
    audit: combineAudits(deps.audit, trail.record),
    metrics,
    deadlines,
    clusters,
    origins: new Set([config.publicUrl.origin, ...config.allowedOrigins]),
    queueSeconds: limits.queueSeconds,
    traffic,
    tracing,
    dial: createDial({
      tracing,
      clock,
      line,
      deadlines,
      observe: metrics.phase,
      waiting: metrics.waiting,
      opening: metrics.opening,
    }),
  };

  function createRelayCluster(cluster: Config['clusters'][number]): RelayCluster {
    const client = createProxmoxClient({
      cluster,
      credential: cluster.relayCredential ?? cluster.credential,
      clock,
      random,
      onCall: (seen) => metrics.proxmox.called(cluster.name, seen),
      onHostChange: createLogHosts(cluster.name, log),
      tracing,
    });
    metrics.proxmox.observeHosts(cluster.name, client.hostStates);
    return {
      name: cluster.name,
      opensPerNode: cluster.opensPerNode,
      client,
      nodes: createNodeDirectory({ cluster, client, clock }),
    };
  }

  function accept(browser: BrowserSocket, presented: Presented): void {
    let session: ConsoleSession | undefined;
    // Whoever is turned away may still talk until it has heard that.
    const viewer = createViewer({
      browser,
      gather,
      clock,
      onText: (text) => session?.heard(text),
      pingMs: deadlines.ping,
      onAnswered: (seconds) => metrics.ping('viewer', seconds),
    });
    if (draining) return turnAway('draining');
    if (sessions.size >= limits.consolesPerRelay) return turnAway('relay_full');
    if (line.waiting >= limits.queuedPerRelay) return turnAway('queue_full');
    const started = (session = startConsoleSession(sessionDeps, viewer, presented));
    sessions.add(started);
    void started.done.then(() => sessions.delete(started));

    function turnAway(code: 'relay_full' | 'queue_full' | 'draining'): void {
      const error = new PortholeError(code);
      metrics.closed(error.close);
      metrics.opened(code);
      viewer.close(error);
    }
  }

  const onUpgrade = createUpgradeListener({
    spend: (request) =>
      store.rateLimits.spend(
        `upgrade/${addressKey(clientAddress(request, config.trustedProxies))}`,
        limits.upgradesPerMinute,
        60,
      ),
    draining: () => draining,
    overloaded: () => sessions.size >= limits.consolesPerRelay + turnedAwayAtOnce,
    refused: metrics.refused,
    accept,
  });

  /** Every viewer is told to come back, to whichever relay answers then. */
  async function drain(): Promise<void> {
    draining = true;
    const all = [...sessions];
    for (const session of all) session.warn();
    await spreadOver({ clock, random }, all, limits.drainSeconds * 1000, (session) =>
      session.end(new PortholeError('draining')),
    );
    await Promise.all([...sessions].map(({ done }) => done));
  }

  function obey(signal: ConsoleSignal): void {
    if (signal.type === 'observers') {
      observers.changed(signal);
      return;
    }
    for (const session of sessions) {
      if (signal.type === 'superseded') session.takenBy(signal.sessionId, signal.connection);
      else if (session.matches(signal)) session.end(terminationError(signal));
    }
  }

  return {
    onUpgrade: (request, socket, head) => void onUpgrade(request, socket, head),
    onRequest: (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The relay serves WebSockets only.\n');
    },
    components: [
      {
        name: 'proxmox connections',
        async stop() {
          await Promise.all([...clusters.values()].map(({ client }) => client.close()));
        },
      },
      {
        name: 'consoles',
        stopTimeoutMs: limits.drainSeconds * 1000 + lastGoodbyesMs,
        async start() {
          warnOfInsecureClusters(config.clusters, log);
          stopListening.push(signals.subscribe(obey), endWatch.start(), observers.start());
        },
        async stop() {
          await drain();
          for (const stop of stopListening) stop();
        },
      },
    ],
    readiness: async () => (draining ? ['draining'] : firstAnswer()),
  };
}
