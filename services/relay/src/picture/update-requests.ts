import type { Clock } from '@porthole/shared/time/clock';
import { clientMessageTypes } from '../rfb/message-types.ts';
import type { Region } from './framebuffer.ts';

/** How often a machine is asked for updates at most: at the rate of the most demanding viewer that waits for one. */
export type Demand = 'full' | 'thumbnail' | 'none';

/** Milliseconds between two updates. */
export const updateIntervals = { full: 50, thumbnail: 2000 } as const;

/** Asks a machine for updates (FramebufferUpdateRequest), one at a time and no more often than viewers need them. */
export class UpdateRequests {
  readonly #clock: Clock;
  readonly #send: (message: Buffer) => void;
  #unanswered = false;
  #lastAt = -Infinity;

  constructor(clock: Clock, send: (message: Buffer) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Asks for everything, whatever was asked before. */
  askForAll(size: { readonly width: number; readonly height: number }): void {
    this.#ask(false, size);
  }

  /** Asks for changes, unless it is too early or a request is unanswered. Returns when to call again, if it is too early. */
  askForChanges(
    size: { readonly width: number; readonly height: number },
    demand: Demand,
  ): number | undefined {
    if (this.#unanswered || demand === 'none') return undefined;
    const dueAt = this.#lastAt + updateIntervals[demand];
    if (this.#clock.now() < dueAt) return dueAt;
    this.#ask(true, size);
    return undefined;
  }

  onAnswered(): void {
    this.#unanswered = false;
  }

  #ask(incremental: boolean, { width, height }: Pick<Region, 'width' | 'height'>): void {
    this.#unanswered = true;
    this.#lastAt = this.#clock.now();
    const message = Buffer.alloc(10);
    message[0] = clientMessageTypes.framebufferUpdateRequest;
    message[1] = incremental ? 1 : 0;
    message.writeUInt16BE(width, 6);
    message.writeUInt16BE(height, 8);
    this.#send(message);
  }
}
