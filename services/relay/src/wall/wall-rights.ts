import { PortholeError } from '@porthole/shared/errors';
import type { WallClaims, WallSeat } from '@porthole/shared/grant/wall-claims';
import { lifetimes } from '@porthole/shared/store/keys';
import type { Cancel, Clock } from '@porthole/shared/time/clock';

/**
 * What a wall may show, and how long. The broker decides that again and again: the page requests grants that renew the
 * wall, and a wall that is not renewed ends.
 */
export class WallRights {
  readonly #deps: WallRightsDeps;
  readonly #claims: WallClaims;
  #machines: ReadonlySet<string>;
  /** When the wall has to end, whatever its page does. */
  #until = Infinity;
  #cancelUntil: Cancel | undefined;
  #cancelRight: Cancel | undefined;

  constructor(deps: WallRightsDeps, claims: WallClaims) {
    this.#deps = deps;
    this.#claims = claims;
    this.#machines = machinesOf(claims);
    this.#limit(claims);
  }

  mayShow(seat: WallSeat): boolean {
    return this.#machines.has(keyOf(seat));
  }

  /** Throws `grant_invalid` unless the grant renews this wall. Returns the seats that it may not show any more. */
  renew(grant: WallClaims): readonly WallSeat[] {
    const { sessionId, loginRef, user, class: className, seats } = this.#claims;
    const isOwn =
      grant.renews === true &&
      grant.sessionId === sessionId &&
      grant.loginRef === loginRef &&
      grant.user.id === user.id &&
      grant.class === className;
    if (!isOwn) throw new PortholeError('grant_invalid', { detail: 'the grant does not renew this wall' });
    const before = this.#machines;
    this.#machines = machinesOf(grant);
    this.#limit(grant);
    return seats.filter((seat) => before.has(keyOf(seat)) && !this.mayShow(seat));
  }

  stop(): void {
    this.#cancelUntil?.();
    this.#cancelRight?.();
  }

  #limit({ sessionSeconds }: WallClaims): void {
    const { clock, onEnd } = this.#deps;
    const until = clock.now() + sessionSeconds * 1000;
    if (until < this.#until) {
      this.#until = until;
      this.#cancelUntil?.();
      this.#cancelUntil = clock.after(Math.min(sessionSeconds * 1000, 2 ** 31 - 1), () =>
        onEnd(new PortholeError('time_limit')),
      );
    }
    this.#cancelRight?.();
    this.#cancelRight = clock.after(lifetimes.wallRight, () =>
      onEnd(new PortholeError('grant_invalid', { detail: 'the wall was not renewed' })),
    );
  }
}

export interface WallRightsDeps {
  readonly clock: Clock;
  /** The right has ended, with the reason. */
  readonly onEnd: (error: PortholeError) => void;
}

const machinesOf = ({ seats }: WallClaims): ReadonlySet<string> => new Set(seats.map(keyOf));
const keyOf = ({ cluster, vmid }: WallSeat): string => `${cluster}/${vmid}`;
