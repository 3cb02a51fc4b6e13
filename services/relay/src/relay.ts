import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';
import { addressKey } from '@porthole/shared/address-key';
import type { Clock } from '@porthole/shared/clock';
import { clientAddress } from '@porthole/shared/client-address';
import type { Config } from '@porthole/shared/config/schema';
import { createConsoleSignals } from '@porthole/shared/console-signals';
import { PortholeError } from '@porthole/shared/errors';
import type { Part } from '@porthole/shared/lifecycle';
import type { Log } from '@porthole/shared/log';
import type { Readiness } from '@porthole/shared/operations-server';
import { createProxmoxClient } from '@porthole/shared/proxmox/client';
import { createNodeDirectory } from '@porthole/shared/proxmox/nodes';
import type { UpgradeListener } from '@porthole/shared/public-server';
import type { RandomBytes } from '@porthole/shared/random';
import type { SealKeys } from '@porthole/shared/seal';
import type { Store } from '@porthole/shared/store/ports';
import type { Presented } from './admit.ts';
import { startConsoleSession, type ConsoleSession, type SessionDeps } from './console-session.ts';
import { defaultDeadlines, type Deadlines } from './deadlines.ts';
import { createDial } from './dial/dial.ts';
import { createLeaseLine } from './dial/lease-line.ts';
import type { RelayCluster } from './dial/machine.ts';
import { createRelayMetrics } from './metrics.ts';
import type { BrowserSocket } from './pump/browser-link.ts';
import { createGather } from './pump/gather.ts';
import { createUpgradeListener } from './upgrade.ts';
import { createViewer } from './viewer.ts';

export interface RelayDeps {
  readonly config: Pick<Config, 'publicUrl' | 'allowedOrigins' | 'clusters' | 'limits' | 'trustedProxies'>;
  readonly keys: SealKeys;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly deadlines?: Deadlines;
}

export interface Relay {
  readonly onUpgrade: UpgradeListener;
  /** A relay has no pages. */
  readonly onRequest: RequestListener;
  readonly parts: readonly Part[];
  readonly readiness: Readiness;
}

/** Sockets above the limit of consoles that are still told why they can't have one. */
const turnedAwayAtOnce = 200;
export function createRelay(deps: RelayDeps): Relay {
  const { config, store, clock, log } = deps;
  const { limits } = config;
  const sessions = new Set<ConsoleSession>();
  const gather = createGather();
  const line = createLeaseLine({ leases: store.leases, clock });
  const signals = createConsoleSignals({ bus: store.signals, keys: deps.keys, random: deps.random });
  const clusters = new Map(config.clusters.map((cluster) => [cluster.name, createRelayCluster(cluster)]));
  let draining = false;
  let unsubscribe = () => {};

  const metrics = createRelayMetrics(deps.registry, {
    waiting: () => line.waiting,
    draining: () => draining,
    sockets: () => sessions.size,
  });
  const deadlines = deps.deadlines ?? defaultDeadlines;
  const sessionDeps: SessionDeps = {
    records: store.records,
    leases: store.leases,
    keys: deps.keys,
    clock,
    log,
    metrics,
    deadlines,
    clusters,
    origins: new Set([config.publicUrl.origin, ...config.allowedOrigins]),
    queueSeconds: limits.queueSeconds,
    dial: createDial({ clock, line, deadlines, observe: metrics.phase }),
  };

  function createRelayCluster(cluster: Config['clusters'][number]): RelayCluster {
    const client = createProxmoxClient({
      cluster,
      credential: cluster.relayCredential ?? cluster.credential,
      clock,
    });
    return {
      name: cluster.name,
      opensPerNode: cluster.opensPerNode,
      client,
      nodes: createNodeDirectory({ cluster, client, clock }),
    };
  }

  function accept(browser: BrowserSocket, presented: Presented): void {
    // The only text that a viewer may send one day is a request to extend; today there is none.
    const viewer = createViewer({
      browser,
      gather,
      clock,
      onText: () => session?.end(new PortholeError('viewer_protocol')),
    });
    if (sessions.size >= limits.consolesPerRelay) return turnAway('relay_full');
    if (line.waiting >= limits.waitingPerRelay) return turnAway('queue_full');
    const session = startConsoleSession(sessionDeps, viewer, presented);
    sessions.add(session);
    void session.done.then(() => sessions.delete(session));

    function turnAway(code: 'relay_full' | 'queue_full'): void {
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
    for (const session of sessions) session.end(new PortholeError('draining'));
    await Promise.all([...sessions].map(({ done }) => done));
  }

  return {
    onUpgrade: (request, socket, head) => void onUpgrade(request, socket, head),
    onRequest: (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The relay serves WebSockets only.\n');
    },
    parts: [
      {
        name: 'proxmox connections',
        async stop() {
          await Promise.all([...clusters.values()].map(({ client }) => client.close()));
        },
      },
      {
        name: 'consoles',
        stopMs: 10_000,
        async start() {
          warnOfInsecureClusters(config.clusters, log);
          unsubscribe = signals.subscribe(({ target, cause }) => {
            for (const session of sessions)
              if (session.matches(target)) session.end(new PortholeError(cause));
          });
        },
        async stop() {
          unsubscribe();
          await drain();
        },
      },
    ],
    readiness: async () => (draining ? ['draining'] : []),
  };
}

function warnOfInsecureClusters(clusters: Config['clusters'], log: Log): void {
  for (const { name, tls } of clusters)
    if (tls.insecureSkipVerify)
      log.warn(
        { cluster: name },
        'insecureSkipVerify is on: whoever sits between Porthole and Proxmox can read the credential and every console',
      );
}
