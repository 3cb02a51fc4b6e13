import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { Link, LinkHandler } from '../stream/link.ts';
import type { InputDeadlines } from '../upstream/deadlines.ts';
import type { AnswerWatch } from './answer-watch.ts';
import { InputQueue } from './input-queue.ts';
import { inputMessage, readTerminalMessages } from './terminal-messages.ts';

/**
 * dtach, through which all viewers of a container share its terminal, stops forever if it is given more than it has
 * passed on: it waits to write input while its client waits to write output. It takes 16 KiB at once, and stopped at
 * 45 KiB and at 64 KiB. Proxmox gives no backpressure, so only the terminal's output shows that input was taken.
 */
export const windowBytes = 4096;

const controlC = 0x03;

/**
 * A machine's link to which terminal messages are sent at a pace that the terminal bears; the rest waits here. `buffered`
 * includes what waits, and its sender limits that. Each `send` must consist of whole messages.
 */
export class PacedLink implements Link {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #deadlines: InputDeadlines;
  readonly #answers: Pick<AnswerWatch, 'sent' | 'received'>;
  /** Input that waits, without headers. */
  readonly #queue = new InputQueue();
  /** Sent since the window was renewed. */
  #usedBytes = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #lastOutputAt = Number.NEGATIVE_INFINITY;
  #cancelTimer: Cancel | undefined;

  constructor(
    link: Link,
    deps: {
      readonly clock: Clock;
      readonly deadlines: InputDeadlines;
      readonly answers: Pick<AnswerWatch, 'sent' | 'received'>;
    },
  ) {
    this.#link = link;
    this.#clock = deps.clock;
    this.#deadlines = deps.deadlines;
    this.#answers = deps.answers;
  }

  get buffered(): number {
    return this.#queue.bytes + this.#link.buffered;
  }

  get framesSent(): number {
    return this.#link.framesSent;
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    const length = end - start;
    this.#renewWindow();
    if (this.#queue.bytes === 0 && length <= windowBytes - this.#usedBytes) {
      this.#sendNow(source.subarray(start, end));
      return this.#link.buffered === 0;
    }
    for (const message of readTerminalMessages(source.subarray(start, end))) {
      if (message.type !== 'data') {
        // A size needs no place in the input.
        this.#link.send(message.bytes);
        continue;
      }
      // As a terminal does: Ctrl+C discards the input that was not read.
      if (message.data.length === 1 && message.data[0] === controlC && this.#queue.bytes > 0) {
        this.#queue.clear();
        this.#sendNow(inputMessage(message.data));
        continue;
      }
      this.#queue.push(message.data);
    }
    this.#flush();
    return this.buffered === 0;
  }

  setHandler(handler: LinkHandler): void {
    this.#link.setHandler({
      onBytes: (source, start, end) => {
        this.#onOutput();
        handler.onBytes(source, start, end);
      },
      onDrained: () => handler.onDrained?.(),
      onEnded: (error) => {
        this.stop();
        handler.onEnded(error);
      },
    });
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  destroy(): void {
    this.stop();
    this.#link.destroy();
  }

  /** Discards what waits. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#queue.clear();
  }

  #sendNow(bytes: Buffer): void {
    this.#lastSentAt = this.#clock.now();
    this.#usedBytes += bytes.length;
    this.#link.send(bytes);
    this.#answers.sent(bytes);
  }

  #flush(): void {
    while (this.#queue.bytes > 0) {
      this.#renewWindow();
      const room = windowBytes - this.#usedBytes - longestHeader;
      if (room <= 0) {
        this.#cancelTimer ??= this.#startTimer();
        return;
      }
      this.#sendNow(inputMessage(this.#queue.take(room)));
    }
  }

  #onOutput(): void {
    const isFirstAnswer = this.#lastOutputAt < this.#lastSentAt;
    this.#lastOutputAt = this.#clock.now();
    this.#answers.received();
    // Further output only postpones, which the timer finds out by itself.
    if (!isFirstAnswer || !this.#cancelTimer) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#startTimer();
  }

  #startTimer(): Cancel {
    return this.#clock.after(Math.max(0, this.#renewsAt() - this.#clock.now()), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    this.#flush();
  }

  #renewWindow(): void {
    if (this.#clock.now() < this.#renewsAt()) return;
    this.#usedBytes = 0;
    this.#renewedAt = this.#clock.now();
  }

  /** When the terminal is taken to have read what was sent. */
  #renewsAt(): number {
    const { inputQuiet, inputSilence, inputBusy } = this.#deadlines;
    const answered = this.#lastOutputAt >= this.#lastSentAt;
    const idleAt = answered ? this.#lastOutputAt + inputQuiet : this.#lastSentAt + inputSilence;
    return Math.min(idleAt, this.#renewedAt + inputBusy);
  }
}

/** "0:4096:" */
const longestHeader = 7;
