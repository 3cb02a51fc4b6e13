import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from './link.ts';
import type { MessageFilter } from './message-filter.ts';
import type { TakeLeftover } from './run-handshake.ts';

export interface PumpDeps {
  readonly clock: Clock;
  readonly viewer: Link;
  readonly machine: Link;
  /** What arrived behind the handshakes and belongs to the stream. */
  readonly viewerLeftover: TakeLeftover;
  readonly machineLeftover: TakeLeftover;
  readonly filter: Pick<MessageFilter, 'push'>;
  /** Counts payload bytes as they are passed on, or soon after. */
  readonly count: (direction: Direction, bytes: number) => void;
  /** Called once, with why the pump ended; undefined when the viewer left by itself. */
  readonly onEnd: (side: 'viewer' | 'machine', error?: PortholeError) => void;
  /** One side is no longer read, because the other one does not keep up. */
  readonly stalled?: (direction: Direction) => void;
  readonly limits?: PumpLimits;
}

export interface Pump {
  /** Ends it without a word: nothing is counted or watched any more. */
  stop(): void;
}

export type Direction = 'to_viewer' | 'to_machine';

export interface PumpLimits {
  /** Waiting bytes at which the other side is no longer read, and at which it is again. */
  readonly pauseBytes: number;
  readonly resumeBytes: number;
  /** Milliseconds that a side may stay above `resumeBytes` before the session ends. */
  readonly stuckMs: number;
}

const defaultLimits: PumpLimits = { pauseBytes: 1024 * 1024, resumeBytes: 256 * 1024, stuckMs: 30_000 };

/** Small updates are counted together: to count is work for several modules. */
const countEveryBytes = 16 * 1024;

/** Carries a console in both directions until one side ends. Takes over both links. */
export function startPump(deps: PumpDeps): Pump {
  const pump = new RunningPump(deps);
  pump.fromMachine.takeOver(deps.machineLeftover);
  pump.fromViewer.takeOver(deps.viewerLeftover);
  return pump;
}

/** A class, and so its directions, as there are thousands, each asked for every read. */
class RunningPump implements Pump {
  readonly fromMachine: FromMachine;
  readonly fromViewer: FromViewer;
  readonly filter: PumpDeps['filter'];
  readonly #count: PumpDeps['count'];
  readonly #onEnd: PumpDeps['onEnd'];
  readonly stalled: PumpDeps['stalled'];
  #uncounted = 0;
  over = false;

  constructor({ clock, limits = defaultLimits, viewer, machine, filter, count, onEnd, stalled }: PumpDeps) {
    this.filter = filter;
    this.#count = count;
    this.#onEnd = onEnd;
    this.stalled = stalled;
    this.fromMachine = new FromMachine(this, clock, limits, machine, viewer);
    this.fromViewer = new FromViewer(this, clock, limits, viewer, machine);
  }

  toViewer(bytes: number): void {
    this.#uncounted += bytes;
    if (this.#uncounted >= countEveryBytes) this.#countUp();
  }

  toMachine(bytes: number): void {
    this.#count('to_machine', bytes);
  }

  end(side: 'viewer' | 'machine', error?: PortholeError): void {
    if (this.over) return;
    this.stop();
    this.#onEnd(side, error);
  }

  stop(): void {
    if (this.over) return;
    this.over = true;
    this.fromMachine.stop();
    this.fromViewer.stop();
    this.#countUp();
  }

  #countUp(): void {
    const bytes = this.#uncounted;
    this.#uncounted = 0;
    this.#count('to_viewer', bytes);
  }
}

/** One direction. Pauses the source while the sink has too much to send, and gives up when that lasts. */
abstract class OneWay implements LinkHandler {
  protected readonly pump: RunningPump;
  protected readonly sink: Link;
  readonly #source: Link;
  readonly #clock: Clock;
  readonly #limits: PumpLimits;
  #cancelStuck: Cancel | undefined;

  constructor(pump: RunningPump, clock: Clock, limits: PumpLimits, source: Link, sink: Link) {
    this.pump = pump;
    this.sink = sink;
    this.#source = source;
    this.#clock = clock;
    this.#limits = limits;
  }

  abstract bytes(source: Buffer, start: number, stop: number): void;
  abstract drained(): void;
  abstract ended(error?: PortholeError): void;
  protected abstract stalled(): void;
  protected abstract stuck(): void;

  takeOver(takeRest: TakeLeftover): void {
    const rest = takeRest();
    if (rest.length > 0) this.bytes(rest, 0, rest.length);
    this.#source.handle(this);
  }

  /** The sink has more to send than before, or less. */
  check(): void {
    if (this.pump.over) return;
    if (!this.#cancelStuck) {
      if (this.sink.buffered <= this.#limits.pauseBytes) return;
      this.#source.pause();
      this.#cancelStuck = this.#clock.after(this.#limits.stuckMs, () => {
        this.#goOn();
        if (this.#cancelStuck) this.stuck();
      });
      this.stalled();
    } else this.#goOn();
  }

  #goOn(): void {
    if (this.sink.buffered > this.#limits.resumeBytes) return;
    this.stop();
    this.#source.resume();
  }

  stop(): void {
    this.#cancelStuck?.();
    this.#cancelStuck = undefined;
  }
}

class FromMachine extends OneWay {
  bytes(source: Buffer, start: number, stop: number): void {
    if (this.pump.over) return;
    this.pump.toViewer(stop - start);
    if (!this.sink.send(source, start, stop)) this.check();
  }

  drained(): void {
    this.pump.fromViewer.check();
  }

  ended(error?: PortholeError): void {
    this.pump.end('machine', error);
  }

  protected stalled(): void {
    this.pump.stalled?.('to_viewer');
  }

  protected stuck(): void {
    this.pump.end('viewer', new PortholeError('viewer_stalled'));
  }
}

class FromViewer extends OneWay {
  bytes(source: Buffer, start: number, stop: number): void {
    if (this.pump.over) return;
    const good: Buffer[] = [];
    try {
      this.#pass(this.pump.filter.push(source.subarray(start, stop), good));
    } catch (error) {
      this.#pass(good);
      this.pump.end('viewer', asPortholeError(error));
    }
  }

  #pass(messages: readonly Buffer[]): void {
    if (messages.length === 0) return;
    const passed = Buffer.concat(messages);
    this.pump.toMachine(passed.length);
    if (!this.sink.send(passed)) this.check();
  }

  drained(): void {
    this.pump.fromMachine.check();
  }

  ended(error?: PortholeError): void {
    this.pump.end('viewer', error);
  }

  protected stalled(): void {
    this.pump.stalled?.('to_machine');
  }

  protected stuck(): void {
    this.pump.end('machine', new PortholeError('console_timeout', { detail: 'the machine takes no input' }));
  }
}
