import type { Registry } from 'prom-client';
import { createBroker } from '@porthole/broker/broker';
import { createRelay } from '@porthole/relay/relay';
import type { Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import { grantKeysOf } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import { createReadinessLog } from '@porthole/shared/process/readiness-log';
import { createOperationsServer } from '@porthole/shared/http/operations-server';
import type { Address } from '@porthole/shared/http/listen';
import { createPublicServer } from '@porthole/shared/http/public-server';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import { createStoreMetrics } from '@porthole/shared/store/metrics';
import { openStore } from '@porthole/shared/store/open';
import type { Store } from '@porthole/shared/store/ports';
import { noTracing, type Tracing } from '@porthole/shared/telemetry/tracing';

export interface Standalone {
  readonly components: readonly LifecycleComponent[];
  address(): Address;
  operationsAddress(): Address;
}

/** Creates broker and relay in one process, on one port. For one lab, the demo and development. */
export function createStandalone(deps: {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: no audit log. */
  readonly audit?: Audit;
  readonly pagesDir: string;
  /** Called once, when Porthole is ready. Default: no readiness log. */
  readonly onReady?: () => void;
  /** Default: the store of the configuration. */
  readonly store?: Store;
}): Standalone {
  const { config, clock, random, log, registry, tracing = noTracing } = deps;
  const audit = deps.audit ? { audit: deps.audit } : {};
  const store =
    deps.store ?? openStore(config, { log, clock, onFailure: createStoreMetrics(registry).requestFailed });
  // Without Redis no other process needs the key, so a generated one is enough.
  const generatedKey = random(32).toString('base64url');
  const keys = config.grantKeys ? grantKeysOf(config.grantKeys) : () => [generatedKey];

  const common = { config, keys, store, clock, random, log, registry, tracing, ...audit };
  const broker = createBroker({ ...common, pagesDir: deps.pagesDir });
  const relay = createRelay(common);
  const readiness = async () => [...(await broker.readiness()), ...(await relay.readiness())];
  const operations = createOperationsServer({
    listen: config.operationsListen,
    registry,
    readiness,
    warnings: broker.notes,
  });
  const server = createPublicServer({
    listen: config.listen,
    onRequest: broker.onRequest,
    onUpgrade: relay.onUpgrade,
    maxConnections: config.limits.httpConnections,
    registry,
  });
  return {
    components: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      ...broker.components,
      operations,
      server,
      // Stops first, so that viewers learn that their console ends before their sockets close.
      ...relay.components,
      ...(deps.onReady ? [createReadinessLog({ readiness, onReady: deps.onReady, clock, log })] : []),
    ],
    address: server.address,
    operationsAddress: operations.address,
  };
}
