import type { PortholeError } from '@porthole/shared/errors';
import type { LinkHandler } from '../stream/link.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import { encodeThumbnail } from './thumbnail-frames.ts';
import { ViewerOutput } from './viewer-output.ts';
import type { ToPicture } from '../picture/worker-messages.ts';

interface ThumbnailLinkDeps {
  readonly post: (message: ToPicture) => void;
  /** The consumer has left. */
  readonly onGone: () => void;
}

/**
 * The thumbnails of a screen for one consumer. What the consumer sends requests the next one, so at most one is on its
 * way. It does not reach the machine.
 */
export class ThumbnailLink implements MachineLink {
  readonly id: number;
  readonly buffered = 0;
  readonly framesSent = 0;
  readonly #deps: ThumbnailLinkDeps;
  readonly #output = new ViewerOutput(() => {});
  #requested = false;

  constructor(id: number, deps: ThumbnailLinkDeps) {
    this.id = id;
    this.#deps = deps;
    this.join();
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    if (start < end && !this.#requested && !this.#output.ended) {
      this.#requested = true;
      this.#deps.post({ type: 'requestThumbnail', viewer: this.id });
    }
    return true;
  }

  pause(): void {
    this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  setHandler(handler: LinkHandler): void {
    this.#output.setHandler(handler);
  }

  destroy(): void {
    if (this.#output.ended) return;
    this.#output.abandon();
    this.#deps.onGone();
  }

  ping(onPong: () => void): void {
    onPong();
  }

  /** Introduces the consumer to a picture server. */
  join(): void {
    this.#deps.post({ type: 'addThumbnail', viewer: this.id });
    if (this.#requested) this.#deps.post({ type: 'requestThumbnail', viewer: this.id });
  }

  onThumbnail(thumbnail: Parameters<typeof encodeThumbnail>[0]): void {
    this.#requested = false;
    this.#output.send(encodeThumbnail(thumbnail), true);
  }

  /** The screen ends the consumer. */
  end(error?: PortholeError): void {
    this.#output.end(error);
  }
}
