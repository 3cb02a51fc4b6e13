import { every, type Clock } from '@porthole/shared/time/clock';
import { mintGrant, revokeGrant } from '@porthole/shared/grant/grant';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { lifetimes } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { TimeLimits } from './time-limits.ts';

export interface ResumeTokenDeps {
  readonly records: RecordStore;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** What the next grant should say, except when it expires. */
  readonly claims: () => GrantClaims;
  readonly send: (token: string) => void;
  /** Whether the viewer has answered a ping that was sent after this time, in milliseconds since the epoch. */
  readonly answeredSince: (time: number) => boolean;
}

/** The claims of a grant that continues a session after its connection of this generation. */
export function claimsToResume(
  claims: GrantClaims,
  { openedAt, endsAt }: Pick<TimeLimits, 'openedAt' | 'endsAt'>,
  generation: number,
): GrantClaims {
  return { ...claims, resumes: { openedAt, endsAt, generation: generation + 1 } };
}

interface SentToken {
  readonly token: string;
  readonly sentAt: number;
}

/**
 * Keeps the viewer in possession of a grant for its own session, and replaces it regularly, so that each is
 * short-lived. A token stays valid until the viewer has certainly received the next one: a connection may be dead long
 * before the relay notices, and the viewer then resumes with the last token that reached it. So at most two are valid.
 */
export class ResumeTokens {
  readonly #deps: ResumeTokenDeps;
  readonly #cancel: () => void;
  /** The valid tokens, the newest last. */
  #sent: readonly SentToken[] = [];
  #stopped = false;
  #rotating = Promise.resolve();

  constructor(deps: ResumeTokenDeps) {
    this.#deps = deps;
    this.rotate();
    this.#cancel = every(deps.clock, lifetimes.resume / 3, () => this.rotate());
  }

  /** Whether the viewer was sent a token with which it can resume. */
  get canResume(): boolean {
    return this.#sent.length > 0;
  }

  /** Whether the newest token that the viewer was sent is still valid. While the store is unavailable, it expires. */
  get canResumeNow(): boolean {
    const newest = this.#sent.at(-1);
    return newest !== undefined && this.#deps.clock.now() - newest.sentAt < lifetimes.resume;
  }

  /** Replaces the token now, because the claims have changed, unless the viewer may not have received the last one. */
  rotate(): void {
    // While the store is unavailable, the token lasts for two more rounds.
    this.#rotating = this.#rotating.then(() => this.#replace()).catch(() => {});
  }

  /** Sends no further tokens; those sent stay valid until they expire. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#rotating;
  }

  /** Sends no further tokens, and makes those sent invalid. */
  async revoke(): Promise<void> {
    await this.stop();
    await Promise.allSettled(this.#sent.map(({ token }) => revokeGrant(this.#deps.records, token)));
  }

  async #replace(): Promise<void> {
    const { records, clock } = this.#deps;
    const newest = this.#sent.at(-1);
    if (this.#stopped || (newest && !this.#deps.answeredSince(newest.sentAt))) return;
    // Before the next one, and kept until they are revoked, so that none outlives the session.
    await Promise.all(this.#sent.slice(0, -1).map((each) => revokeGrant(records, each.token)));
    this.#sent = this.#sent.slice(-1);
    const token = await mintGrant(this.#deps, {
      ...this.#deps.claims(),
      expiresAt: clock.now() + lifetimes.resume,
    });
    // The session ended meanwhile; the viewer may resume with the token that it has.
    if (this.#stopped) return revokeGrant(records, token);
    this.#sent = [...this.#sent, { token, sentAt: clock.now() }];
    this.#deps.send(token);
  }
}
