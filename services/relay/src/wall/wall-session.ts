import type { Audit } from '@porthole/shared/audit/audit';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import type { WallClaims, WallSeat } from '@porthole/shared/grant/wall-claims';
import { takeWallGrant } from '@porthole/shared/grant/wall-grant';
import type { WallMessage } from '@porthole/shared/protocol/wall-messages';
import type { TerminationSignal } from '@porthole/shared/session/signals';
import {
  appliesTo,
  terminationError,
  type TerminationOrders,
} from '@porthole/shared/session/termination-orders';
import type { Log } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import type { RelayMetrics } from '../metrics.ts';
import type { AdmitDeps } from '../session/admit.ts';
import { SessionLifecycle, ViewerLeft } from '../session/lifecycle.ts';
import type { UpgradeCredentials } from '../viewer/upgrade.ts';
import type { TextViewer } from '../viewer/viewer.ts';
import { admitWall } from './admit-wall.ts';
import { ChangeNotices } from './change-notices.ts';
import { createWallMessageReader } from './read-wall-message.ts';
import type { CreateTile } from './create-tile.ts';
import { ShownSeats } from './shown-seats.ts';
import { WallPictures } from './wall-pictures.ts';
import { WallPresence, type WallPresenceDeps } from './wall-presence.ts';
import { WallRights } from './wall-rights.ts';

export interface WallSessionDeps extends AdmitDeps, WallPresenceDeps {
  readonly terminations: Pick<TerminationOrders, 'findFor'>;
  readonly createTile: CreateTile;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly metrics: Pick<RelayMetrics, 'closed' | 'wall'>;
  readonly relayId: string;
}

/** One wall, from its WebSocket to its end: admits it, announces it, and shows the seats that its page asks for. */
export class WallSession {
  /** Resolves when nothing of the wall is left. Never rejects. */
  readonly done: Promise<void>;
  readonly #deps: WallSessionDeps;
  readonly #viewer: TextViewer;
  readonly #lifecycle: SessionLifecycle;
  readonly #readMessage: ReturnType<typeof createWallMessageReader>;
  #claims: WallClaims | undefined;
  #seats: ShownSeats | undefined;
  #presence: WallPresence | undefined;
  #rights: WallRights | undefined;
  readonly #changes: ChangeNotices;
  #openedAt: number | undefined;
  /** Counts the messages about shown seats, of which only the last one counts. */
  #shows = 0;

  constructor(deps: WallSessionDeps, viewer: TextViewer, credentials: UpgradeCredentials) {
    this.#deps = deps;
    this.#viewer = viewer;
    this.#readMessage = createWallMessageReader(deps.clock);
    this.#changes = new ChangeNotices(deps.clock, () => this.#send({ type: 'class' }));
    this.#lifecycle = new SessionLifecycle((error) => (error ? viewer.close(error) : viewer.destroy()));
    this.done = this.#run(admitWall(deps, credentials));
  }

  /** Undefined until the grant has been accepted. */
  get claims(): WallClaims | undefined {
    return this.#claims;
  }

  end(error: PortholeError): void {
    this.#lifecycle.end(error);
  }

  onTermination(order: TerminationSignal): void {
    if (this.#claims && appliesTo(order, this.#claims)) this.end(terminationError(order));
  }

  onClassChanged(name: string): void {
    if (this.#claims?.class === name && this.#lifecycle.state === 'open') this.#changes.changed();
  }

  /** Handles a text frame of the page. */
  onText(text: string): void {
    try {
      const message = this.#readMessage(text);
      if (message.type === 'ping') this.#send({ type: 'pong' });
      else if (message.type === 'renew') void this.#renew(message.token);
      else this.#show(message.seats);
    } catch (error) {
      this.#lifecycle.end(error);
    }
  }

  async #run(admission: Promise<WallClaims>): Promise<void> {
    const { metrics } = this.#deps;
    const lifecycle = this.#lifecycle;
    try {
      await this.#open(await lifecycle.wait(admission));
      metrics.wall.walls(1);
      lifecycle.own(() => metrics.wall.walls(-1));
      await lifecycle.wait(new Promise<never>(() => {}));
    } catch (thrown) {
      lifecycle.end(thrown);
    }
    await lifecycle.release().catch((err: unknown) => this.#deps.log.error({ err }, 'wall not released'));
    this.#report();
  }

  async #open(claims: WallClaims): Promise<void> {
    const { clock, createTile, log, metrics, relayId, terminations } = this.#deps;
    const lifecycle = this.#lifecycle;
    const { link } = this.#viewer;
    // From here on, termination orders find the wall.
    this.#claims = claims;
    lifecycle.enter('opening');
    const order = await lifecycle.wait(terminations.findFor(claims));
    if (order) throw terminationError(order);
    const { sessionId, user } = claims;
    this.#presence = await lifecycle.acquire(WallPresence.create(this.#deps, sessionId, user), (presence) =>
      presence.remove(),
    );
    const pictures = new WallPictures(link, (seat, bytes) => {
      metrics.wall.picture(bytes);
      seats.requestNext(seat);
    });
    const seats = (this.#seats = new ShownSeats({
      clock,
      createTile: (seat) =>
        createTile(claims, seat, {
          onThumbnail: (thumbnail) => pictures.add(seat.seat, thumbnail),
          onState: (state) => this.#send({ type: 'seat', seat: seat.seat, state }),
        }),
      onRemoved: (seat) => pictures.remove(seat),
    }));
    lifecycle.own(() => seats.stop());
    const rights = (this.#rights = new WallRights({ clock, onEnd: (error) => this.end(error) }, claims));
    lifecycle.own(() => rights.stop());
    lifecycle.own(() => this.#changes.stop());
    lifecycle.enter('open');
    this.#openedAt = clock.now();
    log.info({ ...this.#identity(), seats: claims.seats.length, relay: relayId }, 'wall opened');
    link.setHandler({
      onBytes: () =>
        lifecycle.end(new PortholeError('viewer_protocol', { detail: 'a binary frame on a wall' })),
      onDrained: () => pictures.onDrained(),
      onEnded: (error) => lifecycle.end(error ?? new ViewerLeft()),
    });
  }

  #show(wanted: readonly number[]): void {
    const seats = wanted
      .map((number) => this.#seatOf(number))
      .filter((seat) => this.#rights?.mayShow(seat) !== false);
    const turn = ++this.#shows;
    // Before a tile is opened, its user can know.
    void this.#presence?.show(seats).then(
      () => {
        if (turn === this.#shows && !this.#lifecycle.signal.aborted)
          this.#seats?.show(seats.filter((seat) => this.#rights?.mayShow(seat)));
      },
      (error: unknown) => this.#lifecycle.end(error),
    );
  }

  /** While the store is unavailable, the wall goes on until its right ends. */
  async #renew(token: string): Promise<void> {
    try {
      const grant = await takeWallGrant(this.#deps, token);
      if (this.#lifecycle.signal.aborted || !this.#rights) return;
      for (const { seat } of this.#rights.renew(grant)) {
        this.#seats?.forbid(seat);
        this.#send({ type: 'seat', seat, state: 'failed' });
      }
    } catch (error) {
      if (asPortholeError(error).code !== 'store_unavailable') this.#lifecycle.end(error);
    }
  }

  #seatOf(number: number): WallSeat {
    const seat = this.#claims?.seats.find((each) => each.seat === number);
    if (!seat) throw new PortholeError('viewer_protocol', { detail: 'a seat that the wall may not show' });
    return seat;
  }

  #send(message: WallMessage): void {
    this.#viewer.sendText(JSON.stringify(message));
  }

  #report(): void {
    const { audit, clock, log, metrics, relayId } = this.#deps;
    const claims = this.#claims;
    const { error } = this.#lifecycle;
    const end = error?.code ?? 'by_viewer';
    metrics.closed(error?.close ?? 'by_viewer');
    const facts = { ...this.#identity(), end, ...(error?.detail ? { detail: error.detail } : {}) };
    if (!claims || this.#openedAt === undefined) {
      log.warn(facts, 'wall not opened');
      return;
    }
    const seconds = (clock.now() - this.#openedAt) / 1000;
    const machines = this.#presence?.size ?? 0;
    log.info({ ...facts, seconds, machines }, 'wall ended');
    const { sessionId, user, loginRef } = claims;
    audit({
      event: 'wall_ended',
      wall: sessionId,
      user: { id: user.id, name: user.name },
      login: loginRef,
      class: claims.class,
      machines,
      end,
      seconds,
      relay: relayId,
    });
  }

  #identity() {
    const claims = this.#claims;
    return claims ? { wall: claims.sessionId, user: claims.user.id, class: claims.class } : {};
  }
}
