import { fileURLToPath } from 'node:url';
import { createAudit } from '@porthole/shared/audit/audit';
import { openAuditOutput } from '@porthole/shared/audit/output';
import { systemClock } from '@porthole/shared/time/clock';
import { readConfig } from '@porthole/shared/config/read';
import { createLog, openStdout } from '@porthole/shared/telemetry/log';
import { addProcessMetrics, createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { runProcess } from '@porthole/shared/process/run-process';
import { openTracing } from '@porthole/shared/telemetry/tracing-component';
import { createStandalone } from './standalone.ts';

const pagesDir = fileURLToPath(new URL('../../broker/web/dist', import.meta.url));

await runProcess(process, () => {
  const config = readConfig(process.env, process.cwd());
  const stdout = openStdout();
  const log = createLog({ service: 'porthole', level: config.logLevel, destination: stdout });
  const clock = systemClock;
  const { tracing, components } = openTracing(config, { service: 'porthole', clock, log });
  const registry = createRegistry();
  addProcessMetrics(registry);
  const output = openAuditOutput({ config: config.audit, stdout, log, registry });
  const audit = createAudit({ service: 'porthole', clock, write: output.write });
  const standalone = createStandalone({
    config,
    clock,
    random: systemRandom,
    log,
    registry,
    tracing,
    audit,
    pagesDir,
    onReady: () => log.info({ url: config.publicUrl.href }, 'Porthole is open'),
  });
  return {
    log,
    clock,
    registry,
    components: [output.component, ...components, ...standalone.components],
  };
});
