import { PortholeError } from '@porthole/shared/errors';
import type { ScreenSize } from './resize-message.ts';

/** The limits of a relay for its shared screens (configuration: `sharing`). */
export interface SharingLimits {
  readonly screens: number;
  readonly viewersPerScreen: number;
  /** Of all pictures together. */
  readonly megapixels: number;
}

/** What all shared screens of a relay have together. */
export class ScreenTotals {
  readonly #limits: SharingLimits;
  readonly #pixels = new Map<object, number>();

  constructor(limits: SharingLimits) {
    this.#limits = limits;
  }

  get screens(): number {
    return this.#pixels.size;
  }

  get pixels(): number {
    let sum = 0;
    for (const pixels of this.#pixels.values()) sum += pixels;
    return sum;
  }

  /** Throws `screen_full` at the limit of screens, or if no pixel is left. */
  add(screen: object): void {
    const { screens, megapixels } = this.#limits;
    if (this.screens >= screens) throw screenFull(`${screens} screens are shared`);
    if (this.pixels >= megapixels * 1e6) throw screenFull(`${megapixels} megapixels are shared`);
    this.#pixels.set(screen, 0);
  }

  /** Throws `screen_full` if all pictures would be too large together. */
  resize(screen: object, { width, height }: ScreenSize): void {
    if (!this.#pixels.has(screen)) return;
    this.#pixels.set(screen, width * height);
    const { megapixels } = this.#limits;
    if (this.pixels <= megapixels * 1e6) return;
    this.#pixels.set(screen, 0);
    throw screenFull(`a picture of ${width} by ${height} exceeds ${megapixels} megapixels`);
  }

  remove(screen: object): void {
    this.#pixels.delete(screen);
  }
}

export function screenFull(detail: string): PortholeError {
  return new PortholeError('screen_full', { detail });
}
