import type { Readiness } from '../http/operations-server.ts';
import type { Log } from '../telemetry/log.ts';
import type { Cancel, Clock } from '../time/clock.ts';
import type { LifecycleComponent } from './lifecycle.ts';

const retryMs = 1000;

/**
 * Calls `onReady` once, when the service is ready, and until then logs each change of the reasons why it is not. The last
 * component of a service.
 */
export function createReadinessLog(deps: {
  readonly readiness: Readiness;
  readonly onReady: () => void;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
}): LifecycleComponent {
  const { readiness, onReady, clock, log } = deps;
  let stopped = false;
  let cancel: Cancel = () => {};
  let logged = '';

  async function check(): Promise<void> {
    const reasons = await readiness().catch(() => ['readiness check failed']);
    if (stopped) return;
    if (reasons.length === 0) return onReady();
    if (reasons.join() !== logged) log.warn({ reasons }, 'not ready');
    logged = reasons.join();
    cancel = clock.after(retryMs, () => void check());
  }

  return {
    name: 'readiness log',
    // The start does not wait: the operations server answers meanwhile.
    async start() {
      void check();
    },
    async stop() {
      stopped = true;
      cancel();
    },
  };
}
