import type { Clock } from '../time/clock.ts';
import { ConfigError } from '../config/read.ts';
import { createLifecycle, type LifecycleComponent } from './lifecycle.ts';
import type { Log } from '../telemetry/log.ts';

/** What `main.ts` lends of its process. */
export interface ProcessPort {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a service from start to its last signal: starts the parts in order, and stops them in reverse on SIGTERM
 * or SIGINT. A second signal doesn't wait. Exit codes: 0 stopped, 1 could not start, 2 wrong configuration.
 */
export async function runProcess(
  port: ProcessPort,
  build: () => { log: Log; clock: Clock; components: readonly LifecycleComponent[]; started?: () => void },
): Promise<void> {
  let signals = 0;
  try {
    const { log, clock, components, started } = build();
    const lifecycle = createLifecycle({ clock, log, components });
    const onSignal = () => {
      signals++;
      if (signals > 1) {
        port.exit(1);
        return;
      }
      log.info('stopping');
      void lifecycle.stop().then(() => port.exit(0));
    };
    port.on('SIGTERM', onSignal);
    port.on('SIGINT', onSignal);
    await lifecycle.start();
    started?.();
  } catch (error) {
    if (signals > 0) return; // told to stop while it started: that is no fault, and its end is on the way
    const known = error instanceof ConfigError;
    const text =
      error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
    port.stderr.write(`${text}\n`);
    port.exit(known ? 2 : 1);
  }
}
