import { fileURLToPath } from 'node:url';
import { systemClock } from '@porthole/shared/clock';
import { readConfig } from '@porthole/shared/config/read';
import { createLog } from '@porthole/shared/log';
import { addProcessMetrics, createRegistry } from '@porthole/shared/metrics';
import { systemRandom } from '@porthole/shared/random';
import { runProcess } from '@porthole/shared/run-process';
import { openTracing } from '@porthole/shared/tracing-part';
import { createStandalone } from './standalone.ts';

const pagesDir = fileURLToPath(new URL('../../broker/web/dist', import.meta.url));

await runProcess(process, () => {
  const config = readConfig(process.env, process.cwd());
  const log = createLog({ service: 'porthole', level: config.logLevel });
  const clock = systemClock;
  const { tracing, parts } = openTracing(config, { service: 'porthole', clock, log });
  const registry = createRegistry();
  addProcessMetrics(registry);
  const standalone = createStandalone({
    config,
    clock,
    random: systemRandom,
    log,
    registry,
    tracing,
    pagesDir,
  });
  return {
    log,
    clock,
    parts: [...parts, ...standalone.parts],
    started: () => log.info({ url: config.publicUrl.href }, 'Porthole is open'),
  };
});
