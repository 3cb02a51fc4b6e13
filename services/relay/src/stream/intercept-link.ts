import type { Link, LinkHandler } from './link.ts';

/** Returns the same link with another `setHandler`, to see what arrives before the handler does. */
export function interceptLink(link: Link, setHandler: Link['setHandler']): Link {
  return new InterceptedLink(link, setHandler);
}

/** The same link, except for its handler. */
export abstract class WrappedLink implements Link {
  protected readonly link: Link;

  constructor(link: Link) {
    this.link = link;
  }

  get buffered(): number {
    return this.link.buffered;
  }

  get framesSent(): number {
    return this.link.framesSent;
  }

  abstract setHandler(handler: LinkHandler): void;

  send(source: Buffer, start?: number, end?: number): boolean {
    return this.link.send(source, start, end);
  }

  pause(): void {
    this.link.pause();
  }

  resume(): void {
    this.link.resume();
  }

  destroy(): void {
    this.link.destroy();
  }
}

class InterceptedLink extends WrappedLink {
  readonly #setHandler: Link['setHandler'];

  constructor(link: Link, setHandler: Link['setHandler']) {
    super(link);
    this.#setHandler = setHandler;
  }

  setHandler(handler: LinkHandler): void {
    this.#setHandler(handler);
  }
}
