import { every, type Clock } from '@porthole/shared/time/clock';
import { mintGrant, revokeGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { lifetimes } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';

export interface ResumeTokens {
  /** Whether the viewer has one with which it could come back. */
  given(): boolean;
  /** No further ones; the newest stays good until it expires. */
  stop(): Promise<void>;
  /** No further ones, and the newest is worth nothing. */
  revoke(): Promise<void>;
}

/**
 * Keeps the viewer in possession of one grant for its own session: a new one now and then, so that each is short
 * of life, and the one before is worth nothing from then on.
 */
export function startResumeTokens(deps: {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** What the next grant should say, but for its end. */
  readonly claims: () => GrantClaims;
  readonly give: (token: string) => void;
}): ResumeTokens {
  const { records, clock } = deps;
  let newest: string | undefined;
  let over = false;
  let rotating = Promise.resolve();

  async function rotate(): Promise<void> {
    if (over) return;
    const before = newest;
    const next = await mintGrant(deps, { ...deps.claims(), expiresAt: clock.now() + lifetimes.resume });
    // Nobody is there any more to take it, but may come back with the one before.
    if (over) return revokeGrant(records, next);
    newest = next;
    deps.give(next);
    if (before !== undefined) await revokeGrant(records, before);
  }
  // The store is away: the token of before lasts for two more rounds.
  const turn = () => (rotating = rotating.then(rotate).catch(() => {}));
  void turn();
  const cancel = every(clock, lifetimes.resume / 3, () => void turn());

  async function stop(): Promise<void> {
    over = true;
    cancel();
    await rotating;
  }
  return {
    given: () => newest !== undefined,
    stop,
    async revoke() {
      await stop();
      if (newest !== undefined) await revokeGrant(records, newest).catch(() => {});
    },
  };
}
