import { createAudit } from '@porthole/shared/audit/audit';
import { openAuditOutput } from '@porthole/shared/audit/output';
import { systemClock } from '@porthole/shared/time/clock';
import { ConfigError, grantKeysOf, readConfig } from '@porthole/shared/config/read';
import { createLog, openStdout } from '@porthole/shared/telemetry/log';
import { addProcessMetrics, createRegistry } from '@porthole/shared/telemetry/metrics';
import { createOperationsServer } from '@porthole/shared/http/operations-server';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createReadinessLog } from '@porthole/shared/process/readiness-log';
import { runProcess } from '@porthole/shared/process/run-process';
import { createStoreMetrics } from '@porthole/shared/store/metrics';
import { openStore } from '@porthole/shared/store/open';
import { openTracing } from '@porthole/shared/telemetry/tracing-component';
import { createRelay } from './relay.ts';

/** The relay as a service of its own. It finds its grants in Redis, where the broker puts them. */
await runProcess(process, () => {
  const config = readConfig(process.env, process.cwd());
  if (!config.redis || !config.grantKeys)
    throw new ConfigError([
      'redis.url: a relay of its own shares Redis with the broker; `npm start` needs none',
    ]);
  const stdout = openStdout();
  const log = createLog({ service: 'relay', level: config.logLevel, destination: stdout });
  const clock = systemClock;
  const { tracing, components: tracingParts } = openTracing(config, {
    service: 'porthole-relay',
    clock,
    log,
  });
  const registry = createRegistry();
  addProcessMetrics(registry);
  const store = openStore(config, { log, clock, onFailure: createStoreMetrics(registry).requestFailed });
  const output = openAuditOutput({ config: config.audit, stdout, log, registry });
  const audit = createAudit({ service: 'relay', clock, write: output.write });
  const keys = grantKeysOf(config.grantKeys);
  const relay = createRelay({
    config,
    keys,
    store,
    clock,
    random: systemRandom,
    log,
    registry,
    tracing,
    audit,
  });
  return {
    log,
    clock,
    registry,
    components: [
      output.component,
      ...tracingParts,
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      createOperationsServer({ listen: config.operationsListen, registry, readiness: relay.readiness }),
      createPublicServer({
        listen: config.listen,
        onRequest: relay.onRequest,
        onUpgrade: relay.onUpgrade,
        maxConnections: config.limits.httpConnections,
        registry,
      }),
      ...relay.components,
      createReadinessLog({
        readiness: relay.readiness,
        onReady: () => log.info({ listen: config.listen }, 'ready'),
        clock,
        log,
      }),
    ],
  };
});
