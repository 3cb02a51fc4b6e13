import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import type { PodWatch, RelayPod } from './ports.ts';

/** Delay before a failed watch restarts. It doubles up to the maximum. */
const firstRetryMs = 1000;
const maxRetryMs = 60_000;

export interface RelayPods {
  start(): void;
  stop(): Promise<void>;
  list(): readonly RelayPod[];
  /** How long the list has been out of date; 0 while the watch works. */
  staleSeconds(): number;
}

/** Restarts the watch after errors. The client's informer stays stopped after most (kubernetes-client/javascript 933, 1958). */
export function createRelayPods(deps: {
  readonly watch: (failed: (error: unknown) => void) => PodWatch;
  readonly clock: Clock;
  readonly log: Log;
}): RelayPods {
  const { clock, log } = deps;
  let running = false;
  /** The watch has failed, and starts again after a delay. */
  let restartScheduled = false;
  let staleSince: number | undefined;
  let retryMs = firstRetryMs;
  let cancel: Cancel = () => {};
  const watch = deps.watch(failed);

  function failed(error: unknown): void {
    // A stopped watch also reports an error, and a failing watch can report one and reject.
    if (!running || restartScheduled) return;
    restartScheduled = true;
    if (staleSince === undefined) log.warn({ err: error }, 'cannot watch the relay pods');
    staleSince ??= clock.now();
    cancel = clock.after(retryMs, begin);
    retryMs = Math.min(retryMs * 2, maxRetryMs);
  }

  function begin(): void {
    restartScheduled = false;
    void watch.start().then(() => {
      if (!running || restartScheduled) return;
      staleSince = undefined;
      retryMs = firstRetryMs;
    }, failed);
  }

  return {
    start() {
      if (running) return;
      running = true;
      begin();
    },
    async stop() {
      running = false;
      staleSince = undefined;
      retryMs = firstRetryMs;
      cancel();
      await watch.stop();
    },
    list: () => watch.list(),
    staleSeconds: () => (staleSince === undefined ? 0 : (clock.now() - staleSince) / 1000),
  };
}
