import type { Registry } from 'prom-client';
import { createBroker } from '@porthole/broker/broker';
import { createRelay } from '@porthole/relay/relay';
import type { Audit } from '@porthole/shared/audit/audit';
import type { Clock } from '@porthole/shared/time/clock';
import { grantKeysOf } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
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

/** Broker and relay in one process, on one port: for one lab, the demo and development. */
export function createStandalone(deps: {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly registry: Registry;
  readonly tracing?: Tracing;
  /** Default: nothing is written down. */
  readonly audit?: Audit;
  readonly pagesDir: string;
  /** Default: what the configuration asks for. */
  readonly store?: Store;
}): Standalone {
  const { config, clock, random, log, registry, tracing = noTracing } = deps;
  const audit = deps.audit ? { audit: deps.audit } : {};
  const store =
    deps.store ?? openStore(config, { log, clock, onFailure: createStoreMetrics(registry).requestFailed });
  // Alone with its own memory it needs to share the key with nobody, so it makes one up.
  const own = random(32).toString('base64url');
  const keys = config.grantKeys ? grantKeysOf(config.grantKeys) : () => [own];

  const common = { config, keys, store, clock, random, log, registry, tracing, ...audit };
  const broker = createBroker({ ...common, pagesDir: deps.pagesDir });
  const relay = createRelay(common);
  const operations = createOperationsServer({
    listen: config.operationsListen,
    registry,
    readiness: async () => [...(await broker.readiness()), ...(await relay.readiness())],
    warnings: broker.notes,
  });
  const server = createPublicServer({
    listen: config.listen,
    onRequest: broker.onRequest,
    onUpgrade: relay.onUpgrade,
  });
  return {
    components: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      ...broker.components,
      operations,
      server,
      // Last to start, first to stop: viewers hear that their console ends before their sockets close.
      ...relay.components,
    ],
    address: server.address,
    operationsAddress: operations.address,
  };
}
