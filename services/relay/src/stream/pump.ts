import type { Cancel, Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { Link, LinkHandler } from './link.ts';
import type { MessageFilter } from './message-filter.ts';
import type { TakeLeftover } from './run-handshake.ts';

export interface PumpDeps {
  readonly clock: Clock;
  readonly viewer: Link;
  readonly machine: Link;
  /** What arrived behind the handshakes. It is forwarded first. */
  readonly viewerLeftover: TakeLeftover;
  readonly machineLeftover: TakeLeftover;
  readonly filter: Pick<MessageFilter, 'push'>;
  readonly limits?: PumpLimits;
  /**
   * Set if the machine's link sends input at a pace of its own. Then the viewer is always read, so that its pongs, pings
   * and Ctrl+C arrive, and the stream ends if more bytes wait than this.
   */
  readonly maxInputWaiting?: number | undefined;
}

/** An object instead of functions, because a relay has thousands. */
export interface PumpListener {
  /** Counts payload bytes when they are forwarded, or soon after. */
  count(direction: Direction, bytes: number): void;
  /** Called once, with the side that ended the stream and the error; without an error, that side left. */
  onEnd(side: 'viewer' | 'machine', error?: PortholeError): void;
  /** One side is no longer read, because the other one does not keep up. */
  onStalled?(direction: Direction): void;
}

export interface Pump {
  /** Stops forwarding, without a call of `onEnd`. */
  stop(): void;
}

export type Direction = 'to_viewer' | 'to_machine';

export interface PumpLimits {
  /** Buffered bytes above which the other side is no longer read. */
  readonly pauseBytes: number;
  /** Buffered bytes down from which it is read again. */
  readonly resumeBytes: number;
  /** Milliseconds that a side may be stalled before the session ends. */
  readonly stallTimeoutMs: number;
}

const defaultLimits: PumpLimits = {
  pauseBytes: 1024 * 1024,
  resumeBytes: 256 * 1024,
  stallTimeoutMs: 30_000,
};

/** Bytes to the viewer are counted in steps of this size, because each count calls several modules. */
const countStepBytes = 16 * 1024;

/** Forwards a console's bytes in both directions until one side ends. Takes over both links. */
export function startPump(deps: PumpDeps, listener: PumpListener): Pump {
  const pump = new ConsolePump(deps, listener);
  pump.toViewer.start(deps.machineLeftover);
  pump.toMachine.start(deps.viewerLeftover);
  return pump;
}

/** A class, like its directions, because a relay has thousands, and each is called for every read. */
class ConsolePump implements Pump {
  readonly toViewer: MachineToViewer;
  readonly toMachine: ViewerToMachine;
  readonly filter: PumpDeps['filter'];
  readonly listener: PumpListener;
  #uncounted = 0;
  stopped = false;

  constructor(deps: PumpDeps, listener: PumpListener) {
    const { clock, limits = defaultLimits, viewer, machine, filter } = deps;
    this.filter = filter;
    this.listener = listener;
    this.toViewer = new MachineToViewer(this, clock, limits, machine, viewer);
    this.toMachine = new ViewerToMachine(this, clock, limits, viewer, machine, deps.maxInputWaiting);
  }

  countToViewer(bytes: number): void {
    this.#uncounted += bytes;
    if (this.#uncounted >= countStepBytes) this.#flushCount();
  }

  countToMachine(bytes: number): void {
    this.listener.count('to_machine', bytes);
  }

  end(side: 'viewer' | 'machine', error?: PortholeError): void {
    if (this.stopped) return;
    this.stop();
    this.listener.onEnd(side, error);
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.toViewer.cancelStallTimer();
    this.toMachine.cancelStallTimer();
    this.#flushCount();
  }

  #flushCount(): void {
    const bytes = this.#uncounted;
    this.#uncounted = 0;
    this.listener.count('to_viewer', bytes);
  }
}

/** One direction. Pauses the source while the sink has too much buffered, and ends the stream if that lasts. */
abstract class PumpDirection implements LinkHandler {
  protected readonly pump: ConsolePump;
  protected readonly sink: Link;
  readonly #source: Link;
  readonly #clock: Clock;
  readonly #limits: PumpLimits;
  /** Set while the source is paused. */
  #cancelStallTimer: Cancel | undefined;

  constructor(pump: ConsolePump, clock: Clock, limits: PumpLimits, source: Link, sink: Link) {
    this.pump = pump;
    this.sink = sink;
    this.#source = source;
    this.#clock = clock;
    this.#limits = limits;
  }

  abstract onBytes(source: Buffer, start: number, end: number): void;
  abstract onDrained(): void;
  abstract onEnded(error?: PortholeError): void;
  protected abstract onStalled(): void;
  protected abstract onStallTimeout(): void;

  start(takeLeftover: TakeLeftover): void {
    const leftover = takeLeftover();
    if (leftover.length > 0) this.onBytes(leftover, 0, leftover.length);
    this.#source.setHandler(this);
  }

  /** Pauses or resumes the source. Called when the sink has more or less buffered than before. */
  checkSink(): void {
    if (this.pump.stopped) return;
    if (this.#cancelStallTimer) {
      this.#resumeIfDrained();
      return;
    }
    if (this.sink.buffered <= this.#limits.pauseBytes) return;
    this.#source.pause();
    this.#cancelStallTimer = this.#clock.after(this.#limits.stallTimeoutMs, () => {
      this.#resumeIfDrained();
      if (this.#cancelStallTimer) this.onStallTimeout();
    });
    this.onStalled();
  }

  cancelStallTimer(): void {
    this.#cancelStallTimer?.();
    this.#cancelStallTimer = undefined;
  }

  #resumeIfDrained(): void {
    if (this.sink.buffered > this.#limits.resumeBytes) return;
    this.cancelStallTimer();
    this.#source.resume();
  }
}

class MachineToViewer extends PumpDirection {
  onBytes(source: Buffer, start: number, end: number): void {
    if (this.pump.stopped) return;
    this.pump.countToViewer(end - start);
    if (!this.sink.send(source, start, end)) this.checkSink();
  }

  /** The machine has taken input. */
  onDrained(): void {
    this.pump.toMachine.checkInput();
  }

  onEnded(error?: PortholeError): void {
    this.pump.end('machine', error);
  }

  protected onStalled(): void {
    this.pump.listener.onStalled?.('to_viewer');
  }

  protected onStallTimeout(): void {
    this.pump.end('viewer', new PortholeError('viewer_stalled'));
  }
}

class ViewerToMachine extends PumpDirection {
  readonly #maxWaiting: number | undefined;

  constructor(
    pump: ConsolePump,
    clock: Clock,
    limits: PumpLimits,
    source: Link,
    sink: Link,
    maxWaiting: number | undefined,
  ) {
    super(pump, clock, limits, source, sink);
    this.#maxWaiting = maxWaiting;
  }

  /** Pauses or resumes the viewer, or, if it is always read, ends the stream at its limit. */
  checkInput(): void {
    if (this.#maxWaiting === undefined) this.checkSink();
    else if (this.sink.buffered > this.#maxWaiting)
      this.pump.end(
        'viewer',
        new PortholeError('viewer_message_too_big', {
          publicMessage: 'Too much text was pasted at once.',
          detail: `more than ${this.#maxWaiting} bytes wait for the terminal`,
        }),
      );
  }

  onBytes(source: Buffer, start: number, end: number): void {
    if (this.pump.stopped) return;
    const forwarded: Buffer[] = [];
    try {
      const chunk = end - start === source.length ? source : source.subarray(start, end);
      this.#send(this.pump.filter.push(chunk, forwarded));
    } catch (error) {
      this.#send(forwarded);
      this.pump.end('viewer', asPortholeError(error));
    }
  }

  #send(messages: readonly Buffer[]): void {
    if (messages.length === 0) return;
    const [first] = messages;
    const bytes = first && messages.length === 1 ? first : Buffer.concat(messages);
    this.pump.countToMachine(bytes.length);
    if (!this.sink.send(bytes)) this.checkInput();
  }

  /** The viewer has taken bytes. */
  onDrained(): void {
    this.pump.toViewer.checkSink();
  }

  onEnded(error?: PortholeError): void {
    this.pump.end('viewer', error);
  }

  protected onStalled(): void {
    this.pump.listener.onStalled?.('to_machine');
  }

  protected onStallTimeout(): void {
    this.pump.end('machine', new PortholeError('console_timeout', { detail: 'the machine reads no input' }));
  }
}
