import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { Answer, WallGrant } from '../../api.ts';
import { openWallSocket, type WallSocket } from './wall-socket.ts';

/** What a wall tells the tile of a seat. */
export interface Tile {
  /** The tile does not keep the picture. */
  draw(picture: ImageBitmap): void;
  /** Undefined: there is no wall at the moment. */
  setState(state: SeatState | undefined): void;
}

/** Milliseconds. Messages about visible tiles are collected, because pages are scrolled. */
const showDelayMs = 200;
const firstRetryMs = 1000;
const maxRetryMs = 60_000;
/** A wall that was open for so long did not fail. */
const settledMs = 30_000;

/** Close codes after which the wall stays closed: an operator ended it, or it broke the protocol. */
const finalCodes: ReadonlySet<number> = new Set([1002, 1009, 4423]);
const movingCode = 1012;

interface Seat {
  readonly tile: Tile;
  visible: boolean;
  state: SeatState | undefined;
  /** The picture that is being decoded; a later one is more recent. */
  decoding: number;
}

/** The pictures of a class: keeps the connection, and shows the tiles that are visible. */
export class Wall {
  readonly #deps: WallDeps;
  readonly #seats = new Map<string, Seat>();
  /** The numbers of seats in the current grant, and the other way round. */
  #numbers = new Map<string, number>();
  #keys = new Map<number, string>();
  /** Seats that the current grant does not contain, for example because the user may not watch them. */
  #absent: ReadonlySet<string> = new Set();
  #socket: WallSocket | undefined;
  #cancelShow: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  #shown = '';
  #retryMs = firstRetryMs;
  #openedAt = 0;
  #pictures = 0;
  #started = false;
  #stopped = false;

  constructor(deps: WallDeps) {
    this.#deps = deps;
  }

  /** Adds the tile of a seat. Returns the function that removes it. */
  add(key: string, tile: Tile): () => void {
    const seat: Seat = { tile, visible: false, state: undefined, decoding: 0 };
    this.#seats.set(key, seat);
    return () => {
      if (this.#seats.get(key) === seat) this.#seats.delete(key);
      this.#showSoon();
    };
  }

  setVisible(key: string, visible: boolean): void {
    const seat = this.#seats.get(key);
    if (!seat || seat.visible === visible) return;
    seat.visible = visible;
    this.#showSoon();
  }

  /** The page became visible or hidden. */
  onPageVisibility(): void {
    this.#showSoon();
    this.#socket?.check();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelShow?.();
    this.#cancelRetry?.();
    this.#socket?.close();
  }

  #showSoon(): void {
    if (this.#stopped) return;
    this.#cancelShow ??= this.#deps.clock.after(showDelayMs, () => {
      this.#cancelShow = undefined;
      this.#show();
    });
  }

  #show(): void {
    const wanted = [...this.#seats].filter(([, { visible }]) => visible).map(([key]) => key);
    if (wanted.length > 0 && !this.#started) {
      this.#started = true;
      void this.#connect();
      return;
    }
    if (!this.#socket) return;
    if (wanted.some((key) => !this.#numbers.has(key) && !this.#absent.has(key))) {
      // The class has machines that it did not have when the wall was opened.
      this.#socket.close();
      this.#socket = undefined;
      void this.#connect();
      return;
    }
    const isVisible = this.#deps.pageIsVisible();
    const seats = isVisible
      ? wanted.flatMap((key) => this.#numbers.get(key) ?? []).sort((a, b) => a - b)
      : [];
    const next = seats.join();
    if (next === this.#shown) return;
    this.#shown = next;
    this.#socket.show(seats);
  }

  async #connect(): Promise<void> {
    const answer = await this.#deps.requestGrant();
    if (this.#stopped) return;
    if (!answer.ok) {
      const { code } = answer.problem;
      // Without the right, or without shared screens, the class page is one without pictures.
      if (code !== 'not_allowed' && code !== 'not_found' && code !== 'not_signed_in') this.#retry();
      return;
    }
    const { seats } = answer.value;
    const keyed = seats.map(({ seat, cluster, vmid }) => [`${cluster}/${vmid}`, seat] as const);
    this.#numbers = new Map(keyed);
    this.#keys = new Map(keyed.map(([key, seat]) => [seat, key]));
    this.#absent = new Set([...this.#seats.keys()].filter((key) => !this.#numbers.has(key)));
    this.#shown = '';
    this.#openedAt = this.#deps.clock.now();
    this.#socket = openWallSocket(this.#deps, answer.value, {
      onOpen: () => this.#show(),
      onPicture: ({ seat, image }) => void this.#draw(seat, image),
      onState: (seat, state) => this.#setState(this.#keys.get(seat), state),
      onClosed: (code) => this.#onClosed(code),
    });
  }

  #onClosed(code: number): void {
    this.#socket = undefined;
    if (this.#stopped) return;
    for (const key of this.#seats.keys()) this.#setState(key, undefined);
    if (finalCodes.has(code)) return;
    if (this.#deps.clock.now() - this.#openedAt >= settledMs) this.#retryMs = firstRetryMs;
    if (code === movingCode && this.#retryMs === firstRetryMs) {
      this.#retryMs *= 2;
      void this.#connect();
    } else this.#retry();
  }

  #retry(): void {
    this.#cancelRetry = this.#deps.clock.after(this.#retryMs, () => void this.#connect());
    this.#retryMs = Math.min(maxRetryMs, this.#retryMs * 2);
  }

  #setState(key: string | undefined, state: SeatState | undefined): void {
    const seat = key === undefined ? undefined : this.#seats.get(key);
    if (!seat || seat.state === state) return;
    seat.state = state;
    seat.tile.setState(state);
  }

  async #draw(number: number, image: Blob): Promise<void> {
    const seat = this.#seats.get(this.#keys.get(number) ?? '');
    if (!seat) return;
    const order = (seat.decoding = ++this.#pictures);
    const picture = await this.#deps.decode(image).catch(() => undefined);
    if (!picture) return;
    if (seat.decoding === order) seat.tile.draw(picture);
    picture.close();
  }
}

export interface WallDeps {
  readonly clock: Clock;
  readonly requestGrant: () => Promise<Answer<WallGrant>>;
  readonly pageIsVisible: () => boolean;
  /** Decodes outside of the page's thread. */
  readonly decode: (image: Blob) => Promise<ImageBitmap>;
}
