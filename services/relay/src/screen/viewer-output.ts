import type { PortholeError } from '@porthole/shared/errors';
import type { LinkHandler } from '../stream/link.ts';

/**
 * Messages that the screen itself sends are dropped while more bytes wait. The worker sends little more than 1 MiB
 * that was not delivered.
 */
const maxWaitingBytes = 2 * 1024 * 1024;
/** The worker is told in steps of this size what was delivered. */
const deliveredStepBytes = 64 * 1024;

interface Waiting {
  readonly message: Buffer;
  readonly fromWorker: boolean;
  /** Takes the message instead of the viewer. */
  readonly takes?: () => void;
}

/** The messages for one viewer of a screen: they wait while its network does not keep up. */
export class ViewerOutput {
  readonly #onDelivered: (bytes: number) => void;
  #handler: LinkHandler | undefined;
  #paused = false;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #undeclared = 0;
  #ended: { readonly error: PortholeError | undefined } | undefined;
  #endReported = false;

  /** `onDelivered` is called with the number of bytes of the worker that were delivered since the last call. */
  constructor(onDelivered: (bytes: number) => void) {
    this.#onDelivered = onDelivered;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  setHandler(handler: LinkHandler): void {
    this.#handler = handler;
    this.#deliver();
    this.#reportEnd();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** A message of the worker, or one of the screen, which is dropped if too much waits. */
  send(message: Buffer, fromWorker: boolean): void {
    if (this.#ended || (!fromWorker && this.#waitingBytes + message.length > maxWaitingBytes)) return;
    this.#waiting.push({ message, fromWorker });
    this.#waitingBytes += message.length;
    this.#deliver();
  }

  /** Calls back when all that was sent before has been delivered. `message` is what waits for that. */
  sendAside(message: Buffer, takes: () => void): void {
    if (this.#ended) return;
    this.#waiting.push({ message, fromWorker: false, takes });
    this.#waitingBytes += message.length;
    this.#deliver();
  }

  /** Bytes of the worker that the viewer does not get count as delivered. */
  skip(bytes: number): void {
    this.#undeclared += bytes;
    if (this.#undeclared < deliveredStepBytes) return;
    const delivered = this.#undeclared;
    this.#undeclared = 0;
    this.#onDelivered(delivered);
  }

  /** The worker starts to count from zero, with what waits here. */
  recount(): void {
    this.#undeclared = 0;
    this.#waiting = this.#waiting.map((each) => ({ ...each, fromWorker: false }));
  }

  onDrained(): void {
    if (!this.#ended) this.#handler?.onDrained?.();
  }

  /** The viewer gets nothing any more, and its handler hears of the end once. */
  end(error?: PortholeError): void {
    if (this.#ended) return;
    this.#ended = { error };
    this.#waiting = [];
    this.#reportEnd();
  }

  /** The viewer's side has destroyed the link: its handler expects nothing any more. */
  abandon(): void {
    this.#endReported = true;
    this.end();
  }

  #deliver(): void {
    while (this.#handler && !this.#paused && !this.#ended) {
      const next = this.#waiting.shift();
      if (!next) return;
      const { length } = next.message;
      this.#waitingBytes -= length;
      if (next.takes) next.takes();
      else this.#handler.onBytes(next.message, 0, length);
      if (next.fromWorker) this.skip(length);
    }
  }

  #reportEnd(): void {
    if (!this.#ended || !this.#handler || this.#endReported) return;
    this.#endReported = true;
    this.#handler.onEnded(this.#ended.error);
  }
}
