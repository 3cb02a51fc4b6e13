import type { WallSeat } from '@porthole/shared/grant/wall-claims';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { WallTile } from './wall-tile.ts';

/** A seat that is hidden keeps its place for so long, because pages are scrolled up and down. */
const keepHiddenMs = 3000;

interface Shown {
  readonly tile: Pick<WallTile, 'requestNext' | 'stop'>;
  /** Set while the seat is hidden. */
  cancelRemoval: Cancel | undefined;
}

/** The seats of a wall that its page shows, each with a tile. */
export class ShownSeats {
  readonly #clock: Clock;
  readonly #createTile: (seat: WallSeat) => Shown['tile'];
  readonly #onRemoved: (seat: number) => void;
  readonly #shown = new Map<number, Shown>();

  constructor(deps: {
    readonly clock: Clock;
    readonly createTile: (seat: WallSeat) => Shown['tile'];
    readonly onRemoved: (seat: number) => void;
  }) {
    this.#clock = deps.clock;
    this.#createTile = deps.createTile;
    this.#onRemoved = deps.onRemoved;
  }

  /** Exactly these seats are shown from now on. */
  show(seats: readonly WallSeat[]): void {
    const wanted = new Map(seats.map((seat) => [seat.seat, seat]));
    for (const [number, shown] of this.#shown)
      if (!wanted.has(number))
        shown.cancelRemoval ??= this.#clock.after(keepHiddenMs, () => this.#remove(number));
    for (const [number, seat] of wanted) {
      const shown = this.#shown.get(number);
      shown?.cancelRemoval?.();
      if (shown) shown.cancelRemoval = undefined;
      else this.#shown.set(number, { tile: this.#createTile(seat), cancelRemoval: undefined });
    }
  }

  /** From now on, the seat may not be shown. */
  forbid(seat: number): void {
    if (this.#shown.has(seat)) this.#remove(seat);
  }

  /** The seat's picture has been taken. */
  requestNext(seat: number): void {
    this.#shown.get(seat)?.tile.requestNext();
  }

  stop(): void {
    for (const number of this.#shown.keys()) this.#remove(number);
  }

  #remove(number: number): void {
    const shown = this.#shown.get(number);
    this.#shown.delete(number);
    shown?.cancelRemoval?.();
    shown?.tile.stop();
    this.#onRemoved(number);
  }
}
