import { fileURLToPath } from 'node:url';
import { systemClock } from '@porthole/shared/clock';
import { grantKeysOf, readConfig } from '@porthole/shared/config/read';
import { createLog } from '@porthole/shared/log';
import { addProcessMetrics, createRegistry } from '@porthole/shared/metrics';
import { createOperationsServer } from '@porthole/shared/operations-server';
import { createPublicServer } from '@porthole/shared/public-server';
import { systemRandom } from '@porthole/shared/random';
import { runProcess } from '@porthole/shared/run-process';
import { openStore } from '@porthole/shared/store/open';
import { createBroker } from './broker.ts';

/** The broker as a service of its own. The relays find its grants in Redis. */
await runProcess(process, () => {
  const config = readConfig(process.env, process.cwd());
  const log = createLog({ service: 'broker', level: config.logLevel });
  const clock = systemClock;
  const random = systemRandom;
  if (!config.redis)
    log.warn(
      'NO REDIS: sign-ins and grants stay in the memory of this process, where NO RELAY WILL FIND THEM',
    );
  for (const { name, tls } of config.clusters)
    if (tls.insecureSkipVerify)
      log.warn(
        { cluster: name },
        'PROXMOX IS NOT VERIFIED: insecureSkipVerify is on, anybody can pose as it',
      );
  const madeUpKey = random(32).toString('hex');
  const store = openStore(config, { log, clock });
  const registry = createRegistry();
  addProcessMetrics(registry);
  const broker = createBroker({
    config,
    keys: config.grantKeys ? grantKeysOf(config.grantKeys) : () => [madeUpKey],
    store,
    clock,
    random,
    log,
    registry,
    // The same from src and from dist.
    pagesDir: fileURLToPath(new URL('../web/dist', import.meta.url)),
  });
  return {
    log,
    clock,
    parts: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      ...broker.parts,
      createOperationsServer({ listen: config.operationsListen, registry, readiness: broker.readiness }),
      createPublicServer({ listen: config.listen, onRequest: broker.onRequest }),
    ],
    started: () => log.info({ publicUrl: config.publicUrl.origin, listen: config.listen }, 'ready'),
  };
});
