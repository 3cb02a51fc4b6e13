import type { PortholeError } from '@porthole/shared/errors';
import { screenFull } from './screen-limits.ts';
import { ThumbnailLink } from './thumbnail-link.ts';
import type { FromPicture, ToPicture } from '../picture/worker-messages.ts';

/** Walls that show one screen. */
const maxConsumers = 64;

/** The consumers of a screen's thumbnails. */
export class ScreenThumbnails {
  readonly #links = new Map<number, ThumbnailLink>();
  readonly #post: (message: ToPicture) => void;
  readonly #onGone: () => void;

  constructor(deps: { readonly post: (message: ToPicture) => void; readonly onGone: () => void }) {
    this.#post = deps.post;
    this.#onGone = deps.onGone;
  }

  get size(): number {
    return this.#links.size;
  }

  /** Throws `screen_full` at the limit. */
  attach(id: number): ThumbnailLink {
    if (this.size >= maxConsumers) throw screenFull(`${maxConsumers} walls show a screen`);
    const link = new ThumbnailLink(id, {
      post: this.#post,
      onGone: () => {
        if (!this.#links.delete(id)) return;
        this.#post({ type: 'removeViewer', viewer: id });
        this.#onGone();
      },
    });
    this.#links.set(id, link);
    return link;
  }

  /** There is a new picture server. */
  join(): void {
    for (const link of this.#links.values()) link.join();
  }

  onThumbnail(message: Extract<FromPicture, { readonly type: 'thumbnail' }>): void {
    this.#links.get(message.viewer)?.onThumbnail(message);
  }

  end(error?: PortholeError): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.end(error);
  }
}
