import type { DialledConsole, StreamingSession } from '../upstream/dial.ts';
import type { SharingDialMetrics } from './sharing-dial-metrics.ts';

/** A console whose session is counted until it releases it. A class because a relay has thousands. */
export class CountedConsole implements DialledConsole {
  readonly link: DialledConsole['link'];
  readonly takeLeftover: DialledConsole['takeLeftover'];
  readonly machine: DialledConsole['machine'];
  readonly way: DialledConsole['way'];
  readonly #console: DialledConsole;
  readonly #metrics: Pick<SharingDialMetrics, 'sessionsBy'>;
  #released = false;

  constructor(console: DialledConsole, metrics: Pick<SharingDialMetrics, 'sessionsBy'>) {
    this.link = console.link;
    this.takeLeftover = console.takeLeftover;
    this.machine = console.machine;
    this.way = console.way;
    this.#console = console;
    this.#metrics = metrics;
    metrics.sessionsBy(console.way, 1);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#metrics.sessionsBy(this.way, -1);
    this.#console.release();
  }

  onStreaming(session: StreamingSession): void {
    this.#console.onStreaming?.(session);
  }
}
