import type { Link } from '../stream/link.ts';

/**
 * Sends pictures to a page, one frame each, and only while its network keeps up. At most one picture per seat waits,
 * because a seat gets its next one only when this one is sent.
 */
export class WallPictures {
  readonly #link: Pick<Link, 'send' | 'buffered'>;
  readonly #onSent: (seat: number, bytes: number) => void;
  readonly #waiting = new Map<number, Buffer>();

  constructor(
    link: Pick<Link, 'send' | 'buffered'>,
    /** The picture of the seat was handed to the network. */
    onSent: (seat: number, bytes: number) => void,
  ) {
    this.#link = link;
    this.#onSent = onSent;
  }

  /** `thumbnail`: header and image. */
  add(seat: number, thumbnail: Buffer): void {
    this.#waiting.set(seat, thumbnail);
    this.onDrained();
  }

  /** The seat is not shown any more. */
  remove(seat: number): void {
    this.#waiting.delete(seat);
  }

  /** The network may have taken what was buffered. */
  onDrained(): void {
    for (const [seat, thumbnail] of this.#waiting) {
      if (this.#link.buffered > 0) return;
      this.#waiting.delete(seat);
      const frame = Buffer.allocUnsafe(2 + thumbnail.length);
      frame.writeUInt16BE(seat, 0);
      frame.set(thumbnail, 2);
      this.#link.send(frame);
      this.#onSent(seat, frame.length);
    }
  }
}
