import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { Log } from '@porthole/shared/telemetry/log';
import type { PodWatch, RelayPod } from './ports.ts';

/** A watch that failed is begun anew after this long, then twice as long, up to a minute. */
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

export interface RelayPods {
  start(): void;
  stop(): Promise<void>;
  list(): readonly RelayPod[];
  /** How long the list has been known to be old; 0 while it is current. */
  staleSeconds(): number;
}

/** Keeps a watch going: the client's own stays stopped after most errors (kubernetes-client/javascript 933, 1958). */
export function createRelayPods(deps: {
  readonly watch: (failed: (error: unknown) => void) => PodWatch;
  readonly clock: Clock;
  readonly log: Log;
}): RelayPods {
  const { clock, log } = deps;
  let running = false;
  /** Failed since it was last begun; another beginning is due. */
  let broken = false;
  let staleSince: number | undefined;
  let retryMs = firstRetryMs;
  let cancel: Cancel = () => {};
  const watch = deps.watch(failed);

  function failed(error: unknown): void {
    // Stopping a watch fails it, too; and it may both say that it failed and reject.
    if (!running || broken) return;
    broken = true;
    if (staleSince === undefined) log.warn({ err: error }, 'the pods of the relays can not be watched');
    staleSince ??= clock.now();
    cancel = clock.after(retryMs, begin);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  function begin(): void {
    broken = false;
    void watch.start().then(() => {
      if (!running || broken) return;
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
