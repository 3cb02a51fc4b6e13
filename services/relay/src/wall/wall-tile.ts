import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import { sleep, type Clock } from '@porthole/shared/time/clock';
import { onAbort } from '@porthole/shared/time/on-abort';
import { createThumbnailReader, thumbnailRequest } from '../screen/thumbnail-frames.ts';
import type { OpenThumbnail, ThumbnailPlace } from '../sharing/contracts.ts';

/** Milliseconds until the next attempt. */
const retryMs = { off: 10_000, soon: 1000, later: 10_000, rarely: 60_000 } as const;
/** How long a screen may be without a first thumbnail, after it is open. */
const firstThumbnailMs = 15_000;

/** The machine does not run. */
const offErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['machine_stopped', 'machine_ended']);
/** The machine's screen is elsewhere, or lost. */
const movedErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'screen_moved',
  'screen_shared',
  'owner_unreachable',
  'console_lost',
  'draining',
]);
/** Another attempt hardly changes these. */
const finalErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'machine_not_found',
  'no_display',
  'terminal_only',
  'proxmox_permission',
  'proxmox_tls',
]);

export interface WallTileDeps {
  readonly clock: Clock;
  readonly open: (
    request: Pick<Parameters<OpenThumbnail>[0], 'signal' | 'onNotice'>,
  ) => Promise<ThumbnailPlace>;
  /** Rejects with `machine_stopped` while the machine is off. Opens nothing. */
  readonly checkRunning: (signal: AbortSignal) => Promise<unknown>;
  /** Takes a thumbnail: header and image. The next one comes after a call of `requestNext`. */
  readonly onThumbnail: (thumbnail: Buffer) => void;
  readonly onState: (state: SeatState) => void;
}

/** One seat of a wall while it is shown: keeps a place at its machine's screen. */
export class WallTile {
  readonly #deps: WallTileDeps;
  readonly #abort = new AbortController();
  #place: ThumbnailPlace | undefined;
  #state: SeatState | undefined;
  /** Moves that have come one after the other, without a thumbnail in between. */
  #moves = 0;

  constructor(deps: WallTileDeps) {
    this.#deps = deps;
    void this.#keepOpen().catch(() => {});
  }

  /** The last thumbnail has been taken. */
  requestNext(): void {
    this.#place?.link.send(thumbnailRequest);
  }

  /** Idempotent. */
  stop(): void {
    this.#abort.abort(new PortholeError('screen_moved', { detail: 'the tile is not shown' }));
  }

  /** Rejects when the tile is stopped. */
  async #keepOpen(): Promise<void> {
    const { clock, checkRunning } = this.#deps;
    const { signal } = this.#abort;
    let wasOff = false;
    for (;;) {
      const { code } = await this.#attempt(async () => {
        if (wasOff) await checkRunning(signal);
        await this.#show();
      });
      signal.throwIfAborted();
      wasOff = offErrors.has(code);
      const isMoving = movedErrors.has(code) && this.#moves++ < 5;
      this.#enter(wasOff ? 'off' : isMoving ? 'opening' : 'failed');
      const wait = wasOff ? 'off' : isMoving ? 'soon' : finalErrors.has(code) ? 'rarely' : 'later';
      await sleep(clock, retryMs[wait], signal);
    }
  }

  async #attempt(work: () => Promise<void>): Promise<PortholeError> {
    try {
      await work();
      return new PortholeError('console_lost');
    } catch (thrown) {
      return asPortholeError(thrown);
    }
  }

  /** Shows the screen until it ends. Rejects with the reason. */
  async #show(): Promise<void> {
    const { clock, open, onThumbnail } = this.#deps;
    const { signal } = this.#abort;
    if (this.#state !== 'off') this.#enter('opening');
    const place = await open({
      signal,
      // The last picture stays on the page, marked as not live.
      onNotice: ({ state }) => this.#enter(state === 'live' ? 'live' : 'opening'),
    });
    const end = Promise.withResolvers<never>();
    end.promise.catch(() => {});
    const cancelDeadline = clock.after(firstThumbnailMs, () =>
      end.reject(new PortholeError('console_timeout', { detail: 'no thumbnail' })),
    );
    const stopListening = onAbort(signal, (reason) => end.reject(reason));
    void place.ended.then((error) => end.reject(error ?? new PortholeError('console_lost')));
    const read = createThumbnailReader((thumbnail) => {
      cancelDeadline();
      this.#moves = 0;
      this.#enter('live');
      onThumbnail(thumbnail);
    });
    this.#place = place;
    try {
      place.link.setHandler({
        onBytes(source, start, bytesEnd) {
          try {
            read(source, start, bytesEnd);
          } catch (error) {
            end.reject(error);
          }
        },
        onEnded: (error) => end.reject(error ?? new PortholeError('console_lost')),
      });
      place.link.resume();
      this.requestNext();
      await end.promise;
    } finally {
      this.#place = undefined;
      cancelDeadline();
      stopListening();
      place.release();
    }
  }

  #enter(state: SeatState): void {
    if (this.#abort.signal.aborted || this.#state === state) return;
    this.#state = state;
    this.#deps.onState(state);
  }
}
