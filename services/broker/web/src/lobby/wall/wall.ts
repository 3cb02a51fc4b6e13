import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
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
/** A relay ends a wall that was not renewed for two minutes. */
const renewMs = 30_000;
/** A wall that was open for so long did not fail. */
const settledMs = 30_000;

/** Close codes after which the wall stays closed: an operator ended it, or it broke the protocol. */
const finalCodes: ReadonlySet<number> = new Set([1002, 1009, 4423]);
const movingCode = 1012;
/** With these errors, the user may not have the wall. */
const refusals: ReadonlySet<string> = new Set(['not_allowed', 'not_found', 'not_signed_in']);

interface Seat {
  readonly tile: Tile;
  visible: boolean;
  state: SeatState | undefined;
  /** The picture that is being decoded; a later one is more recent. */
  decoding: number;
}

/**
 * The pictures of a class: keeps the connection, renews its right, and shows the tiles that are visible. While the page is
 * hidden, it does neither renew nor reconnect.
 */
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
  #cancelRenewals: Cancel | undefined;
  #wallId: string | undefined;
  #renewedAt = 0;
  #retriesWhenVisible = false;
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
    this.#showSoon();
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
    if (!this.#deps.pageIsVisible()) return;
    if (this.#retriesWhenVisible) this.#reconnect();
    else if (this.#deps.clock.now() - this.#renewedAt >= renewMs) void this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelShow?.();
    this.#cancelRetry?.();
    this.#close();
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
    if (this.#seats.size > 0 && !this.#started) {
      this.#started = true;
      void this.#connect();
      return;
    }
    if (!this.#socket) return;
    if (wanted.some((key) => !this.#numbers.has(key) && !this.#absent.has(key))) {
      // The class has machines that it did not have when the wall was opened.
      this.#close();
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
    const answer = await this.#deps.requestGrant(undefined);
    if (this.#stopped) return;
    if (!answer.ok) {
      // Without the right, or without shared screens, the class page is one without pictures.
      if (!refusals.has(answer.problem.code)) this.#retry();
      return;
    }
    const { id, seats } = answer.value;
    this.#wallId = id;
    const keyed = seats.map(({ seat, cluster, vmid }) => [`${cluster}/${vmid}`, seat] as const);
    this.#numbers = new Map(keyed);
    this.#keys = new Map(keyed.map(([key, seat]) => [seat, key]));
    this.#absent = new Set([...this.#seats.keys()].filter((key) => !this.#numbers.has(key)));
    this.#shown = '';
    this.#openedAt = this.#renewedAt = this.#deps.clock.now();
    this.#cancelRenewals = every(this.#deps.clock, renewMs, () => void this.#renew());
    this.#socket = openWallSocket(this.#deps, answer.value, {
      onOpen: () => this.#show(),
      onPicture: ({ seat, image }) => void this.#draw(seat, image),
      onState: (seat, state) => this.#setState(this.#keys.get(seat), state),
      onClassChanged: () => this.#deps.onClassChanged(),
      onClosed: (code) => this.#onClosed(code),
    });
  }

  /** Shows the relay that the user still has the right. If not, the wall ends here. */
  async #renew(): Promise<void> {
    const socket = this.#socket;
    if (!socket || !this.#deps.pageIsVisible()) return;
    this.#renewedAt = this.#deps.clock.now();
    const answer = await this.#deps.requestGrant(this.#wallId);
    if (this.#socket !== socket) return;
    if (answer.ok) socket.renew(answer.value);
    else if (refusals.has(answer.problem.code)) {
      this.#close();
      this.#forgetStates();
    }
  }

  #close(): void {
    this.#cancelRenewals?.();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #forgetStates(): void {
    for (const key of this.#seats.keys()) this.#setState(key, undefined);
  }

  #onClosed(code: number): void {
    this.#close();
    if (this.#stopped) return;
    this.#forgetStates();
    if (finalCodes.has(code)) return;
    if (this.#deps.clock.now() - this.#openedAt >= settledMs) this.#retryMs = firstRetryMs;
    if (code === movingCode && this.#retryMs === firstRetryMs) {
      this.#retryMs *= 2;
      void this.#connect();
    } else this.#retry();
  }

  #retry(): void {
    this.#cancelRetry = this.#deps.clock.after(this.#retryMs, () => this.#reconnect());
    this.#retryMs = Math.min(maxRetryMs, this.#retryMs * 2);
  }

  #reconnect(): void {
    this.#retriesWhenVisible = !this.#deps.pageIsVisible();
    if (!this.#retriesWhenVisible) void this.#connect();
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
  /** With the id of a wall: a grant that renews it. */
  readonly requestGrant: (renews: string | undefined) => Promise<Answer<WallGrant>>;
  readonly onClassChanged: () => void;
  readonly pageIsVisible: () => boolean;
  /** Decodes outside of the page's thread. */
  readonly decode: (image: Blob) => Promise<ImageBitmap>;
}
