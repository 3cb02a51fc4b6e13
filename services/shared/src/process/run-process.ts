import type { Registry } from 'prom-client';
import type { Clock } from '../time/clock.ts';
import { ConfigError } from '../config/read.ts';
import { createProcessErrorMetrics } from './error-metrics.ts';
import { createLifecycle, type LifecycleComponent } from './lifecycle.ts';
import { StartError } from './start-error.ts';
import type { Log } from '../telemetry/log.ts';

/** The part of Node's `process` that `main.ts` passes in. */
export interface ProcessPort {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

export interface Service {
  readonly log: Log;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly components: readonly LifecycleComponent[];
}

/**
 * Runs a service: starts its components in order, and stops them in reverse on SIGTERM, on SIGINT, and on an error
 * that no code handled. A second signal exits at once.
 *
 * Exit codes: 0 stopped by a signal, 1 start failed or unhandled error, 2 invalid configuration.
 */
export async function runProcess(port: ProcessPort, build: () => Service): Promise<void> {
  let stopping = false;
  try {
    const { log, clock, registry, components } = build();
    const lifecycle = createLifecycle({ clock, log, components });
    const metrics = createProcessErrorMetrics(registry);
    let signals = 0;
    let exitCode = 0;

    const stop = () => {
      if (stopping) return;
      stopping = true;
      log.info('stopping');
      void lifecycle.stop().then(() => port.exit(exitCode));
    };
    const onSignal = () => {
      signals++;
      if (signals > 1) port.exit(1);
      else stop();
    };
    // The state of the process is unknown from here on, but other users' consoles still deserve an orderly drain.
    const onError = (message: string, count: () => void) => (error: unknown) => {
      exitCode = 1;
      count();
      log.fatal({ err: error }, message);
      stop();
    };

    port.on('SIGTERM', onSignal);
    port.on('SIGINT', onSignal);
    port.on('unhandledRejection', onError('unhandled promise rejection', metrics.unhandledRejection));
    port.on('uncaughtException', onError('uncaught exception', metrics.uncaughtException));
    await lifecycle.start();
  } catch (error) {
    // A stop during the start makes the start fail. That is no error, and `stop` exits.
    if (stopping) return;
    port.stderr.write(`${describe(error)}\n`);
    port.exit(error instanceof ConfigError ? 2 : 1);
  }
}

/** Without a stack if the message says what to do. */
function describe(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
