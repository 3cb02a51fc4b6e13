import type { Link } from './link.ts';

/** Returns the same link with another `setHandler`, to see what arrives before the handler does. */
export function interceptLink(link: Link, setHandler: Link['setHandler']): Link {
  return new InterceptedLink(link, setHandler);
}

class InterceptedLink implements Link {
  readonly setHandler: Link['setHandler'];
  readonly #link: Link;

  constructor(link: Link, setHandler: Link['setHandler']) {
    this.#link = link;
    this.setHandler = setHandler;
  }

  get buffered(): number {
    return this.#link.buffered;
  }

  get framesSent(): number {
    return this.#link.framesSent;
  }

  send(source: Buffer, start?: number, end?: number): boolean {
    return this.#link.send(source, start, end);
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  destroy(): void {
    this.#link.destroy();
  }
}
