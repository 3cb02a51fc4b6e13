import type { PortholeError } from '@porthole/shared/errors';
import { WrappedLink } from '../stream/intercept-link.ts';
import type { Link, LinkHandler } from '../stream/link.ts';
import type { MessageReader, UpstreamSide } from '../stream/upstream-side.ts';
import { createServerMessageReader } from './server-message-reader.ts';

/**
 * Calls `onPicture` when the machine's first pixels arrive. Messages before them, such as the name of the desktop or
 * the state of the keyboard, are no picture. After the first picture, the link is used directly again.
 */
export function detectFirstPicture(side: UpstreamSide, onPicture: () => void): UpstreamSide {
  const link = new FirstPictureLink(side.link, onPicture);
  return { link, takeLeftover: () => link.inspectLeftover(side.takeLeftover()) };
}

/** A class because a relay has thousands. After the first picture it retains only the link. */
class FirstPictureLink extends WrappedLink implements LinkHandler {
  /** Until the first picture. */
  #reader: MessageReader | undefined;
  #onPicture: (() => void) | undefined;
  #handler: LinkHandler | undefined;

  constructor(link: Link, onPicture: () => void) {
    super(link);
    this.#onPicture = onPicture;
    this.#reader = createServerMessageReader({
      viewerPixelFormat: () => undefined,
      allowsClipboardMessage: () => true,
      onPixels: () => this.#onDetected(),
    });
  }

  setHandler(handler: LinkHandler): void {
    this.#handler = this.#reader && handler;
    this.link.setHandler(this.#reader ? this : handler);
  }

  inspectLeftover(leftover: Buffer): Buffer {
    this.#inspect(leftover, 0, leftover.length);
    return leftover;
  }

  onBytes(source: Buffer, start: number, end: number): void {
    const handler = this.#handler;
    this.#inspect(source, start, end);
    if (handler && !this.#reader) {
      this.#handler = undefined;
      this.link.setHandler(handler);
    }
    handler?.onBytes(source, start, end);
  }

  onDrained(): void {
    this.#handler?.onDrained?.();
  }

  onEnded(error?: PortholeError): void {
    this.#handler?.onEnded(error);
  }

  #inspect(source: Buffer, start: number, end: number): void {
    try {
      this.#reader?.read(source, start, end, discard);
    } catch {
      // An encoding that the viewer offered and the reader does not support: most likely a picture.
      this.#onDetected();
    }
  }

  #onDetected(): void {
    const onPicture = this.#onPicture;
    this.#reader = undefined;
    this.#onPicture = undefined;
    onPicture?.();
  }
}

function discard(): void {}
