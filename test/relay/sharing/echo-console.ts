import type { PortholeError } from '@porthole/shared/errors';
import type { Keyframe } from '@porthole/relay/stream/keyframe';
import type { LinkHandler } from '@porthole/relay/stream/link';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';

/** What a screen first sends to a viewer, after its ClientInit. */
export const serverInit = Buffer.from('ServerInit');

/**
 * In place of a viewer's link to a shared screen: it answers the first byte with `serverInit`, and then sends back
 * whatever it gets.
 */
export class EchoConsole implements MachineLink {
  readonly received: Buffer[] = [];
  readonly ended: Promise<PortholeError | undefined>;
  readonly #resolveEnded: (reason: PortholeError | undefined) => void;
  readonly #waiting: (Buffer | (() => void))[] = [];
  #handler: LinkHandler | undefined;
  #onKeyframe: ((keyframe: Keyframe) => void) | undefined;
  #started = false;
  paused = true;
  destroyed = 0;
  buffered = 0;
  framesSent = 0;

  constructor() {
    ({ promise: this.ended, resolve: this.#resolveEnded } = Promise.withResolvers<
      PortholeError | undefined
    >());
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    const bytes = Buffer.from(source.subarray(start, end));
    this.received.push(bytes);
    this.framesSent++;
    if (this.#started) this.produce(bytes);
    else {
      this.#started = true;
      this.produce(serverInit);
      if (bytes.length > 1) this.produce(bytes.subarray(1));
    }
    return this.buffered === 0;
  }

  /** Sends bytes to the viewer, as soon as it reads. */
  produce(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#deliver();
  }

  requestKeyframe(onKeyframe: (keyframe: Keyframe) => void): void {
    this.#onKeyframe = onKeyframe;
  }

  produceKeyframe(keyframe: Keyframe): void {
    const onKeyframe = this.#onKeyframe;
    this.#waiting.push(() => onKeyframe?.(keyframe));
    this.#deliver();
  }

  get asksForKeyframe(): boolean {
    return this.#onKeyframe !== undefined;
  }

  /** The screen ends the viewer for this reason. */
  end(reason?: PortholeError): void {
    this.#resolveEnded(reason);
    this.#handler?.onEnded();
  }

  /** The link breaks before the reason is known. */
  break(): void {
    this.#handler?.onEnded();
  }

  takeInput(): void {
    this.buffered = 0;
    this.#handler?.onDrained?.();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#deliver();
  }

  setHandler(handler: LinkHandler): void {
    const isFirst = !this.#handler;
    this.#handler = handler;
    if (isFirst) this.resume();
  }

  ping(onPong: () => void): void {
    onPong();
  }

  destroy(): void {
    this.destroyed++;
  }

  #deliver(): void {
    while (!this.paused && this.#handler) {
      const bytes = this.#waiting.shift();
      if (!bytes) return;
      if (typeof bytes === 'function') bytes();
      else this.#handler.onBytes(bytes, 0, bytes.length);
    }
  }
}
