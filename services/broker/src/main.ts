import { fileURLToPath } from 'node:url';
import { createAudit } from '@porthole/shared/audit/audit';
import { openAuditOutput } from '@porthole/shared/audit/output';
import { systemClock } from '@porthole/shared/time/clock';
import { ConfigError, readConfig } from '@porthole/shared/config/read';
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
import { createBroker } from './broker.ts';

// Correct from both src and dist.
const pagesDir = fileURLToPath(new URL('../web/dist', import.meta.url));

/** Runs the broker as a separate service. Relays find its grants in Redis. */
await runProcess(process, () => {
  const config = readConfig(process.env, process.cwd());
  if (!config.redis)
    throw new ConfigError([
      'redis.url: is required, because a separate broker shares Redis with the relays. Only `npm start` works without.',
    ]);
  const stdout = openStdout();
  const log = createLog({ service: 'broker', level: config.logLevel, destination: stdout });
  const clock = systemClock;
  const { tracing, components: tracingComponents } = openTracing(config, {
    service: 'porthole-broker',
    clock,
    log,
  });
  const registry = createRegistry();
  addProcessMetrics(registry);
  const store = openStore(config, { log, clock, onFailure: createStoreMetrics(registry).requestFailed });
  const output = openAuditOutput({ config: config.audit, stdout, log, registry });
  const audit = createAudit({ service: 'broker', clock, write: output.write });
  const broker = createBroker({
    config,
    store,
    clock,
    random: systemRandom,
    log,
    registry,
    tracing,
    audit,
    pagesDir,
  });
  return {
    log,
    clock,
    registry,
    components: [
      output.component,
      ...tracingComponents,
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      ...broker.components,
      createOperationsServer({
        listen: config.operationsListen,
        registry,
        readiness: broker.readiness,
        warnings: broker.notes,
      }),
      createPublicServer({
        listen: config.listen,
        onRequest: broker.onRequest,
        maxConnections: config.limits.httpConnections,
        registry,
      }),
      createReadinessLog({
        readiness: broker.readiness,
        onReady: () => log.info({ publicUrl: config.publicUrl.origin, listen: config.listen }, 'ready'),
        clock,
        log,
      }),
    ],
  };
});
