import { runProcess } from '@porthole/shared/process/run-process';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { systemClock } from '@porthole/shared/time/clock';

/** A service with an error that no code handles, for run-process.test.ts. */
await runProcess(process, () => {
  const log = createLog({ service: 'failing', level: 'info' });
  return {
    log,
    clock: systemClock,
    registry: createRegistry(),
    components: [
      { name: 'server', stop: async () => log.info('drained') },
      {
        name: 'bug',
        async start() {
          const error = new Error('a bug');
          setImmediate(() => {
            if (process.argv[2] === 'uncaughtException') throw error;
            void Promise.reject(error);
          });
        },
      },
    ],
  };
});
