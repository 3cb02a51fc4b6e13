import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { pollUntil } from '@porthole/shared/time/poll-until';
import { leaseNames, lifetimes } from '@porthole/shared/store/keys';
import type { LeaseStore } from '@porthole/shared/store/ports';

/** The leases by which a session counts against its user, its machine, and all sessions, and its connection at its relay. */
export interface QuotaLeases {
  /** Extends their life. Call it every `quotaRenewalMs`. Never rejects. */
  renew(): Promise<void>;
  release(): Promise<void>;
  /** Those that all relays share stay for `ms`, for a viewer that may resume anywhere. */
  extend(ms: number): Promise<void>;
  /** Releases only that of the relay: another connection of the session owns the others now. */
  handOver(): Promise<void>;
}

export const quotaRenewalMs = lifetimes.consoleLease / 3;

interface HeldLease {
  readonly name: string;
  readonly holder: string;
}

export interface QuotaDeps {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly relayId: string;
}

/**
 * Counts the session against its user's and its machine's limit, over all relays, while it lives. Rejects with
 * `user_limit` or `machine_limit`. If the relay dies, the leases expire. The session is the holder, so a session that
 * resumes finds its own leases and is not counted twice. Only the relay's lease is held by the connection: a session may
 * resume at the same relay before its previous connection has ended there.
 */
export async function acquireQuota(
  deps: QuotaDeps,
  claims: GrantClaims,
  connection: string,
  signal: AbortSignal,
): Promise<QuotaLeases> {
  const quota = new SessionQuota(deps, claims, connection);
  await quota.acquire(claims, signal);
  return quota;
}

/** A class because a relay has thousands. */
class SessionQuota implements QuotaLeases {
  readonly #deps: QuotaDeps;
  readonly #user: HeldLease;
  readonly #machine: HeldLease;
  /** Those that all relays share. */
  readonly #shared: readonly HeldLease[];
  readonly #relay: HeldLease;

  constructor(deps: QuotaDeps, claims: GrantClaims, connection: string) {
    const holder = claims.sessionId;
    const all = { name: leaseNames.allSessions, holder };
    this.#deps = deps;
    this.#user = { name: leaseNames.user(claims.user.id), holder };
    this.#machine = { name: leaseNames.machine(claims.cluster, claims.vmid), holder };
    // What an instructor shows must not take the places of the machine's own user, nor of the viewers.
    this.#shared = claims.follows ? [all] : [this.#user, this.#machine, all];
    this.#relay = { name: leaseNames.relay(deps.relayId), holder: connection };
  }

  async acquire({ follows, limits }: GrantClaims, signal: AbortSignal): Promise<void> {
    if (!follows) await this.#acquireLimited(limits, signal);
    await this.renew();
  }

  async renew(): Promise<void> {
    await this.#join([...this.#shared, this.#relay], lifetimes.consoleLease);
  }

  async release(): Promise<void> {
    await this.#release([...this.#shared, this.#relay]);
  }

  async extend(ms: number): Promise<void> {
    await Promise.all([this.#join(this.#shared, ms), this.#release([this.#relay])]);
  }

  async handOver(): Promise<void> {
    await this.#release([this.#relay]);
  }

  async #acquireLimited(
    { perUser, perMachine }: Pick<GrantClaims['limits'], 'perUser' | 'perMachine'>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!(await this.#tryAcquire(this.#user, perUser, signal))) throw new PortholeError('user_limit');
    try {
      if (!(await this.#tryAcquire(this.#machine, perMachine, signal)))
        throw new PortholeError('machine_limit');
    } catch (error) {
      await this.#release([this.#user]);
      throw error;
    }
  }

  #tryAcquire({ name, holder }: HeldLease, limit: number, signal: AbortSignal): Promise<boolean> {
    const { clock, leases } = this.#deps;
    return pollUntil(clock, () => leases.tryAcquire(name, holder, limit, lifetimes.consoleLease), signal);
  }

  /** Ignores the limit: a live console is never ended because the store lost its lease. */
  #join(held: readonly HeldLease[], ms: number): Promise<unknown> {
    const { leases } = this.#deps;
    return Promise.allSettled(
      held.map(({ name, holder }) => leases.join(name, holder, Number.MAX_SAFE_INTEGER, ms)),
    );
  }

  #release(held: readonly HeldLease[]): Promise<unknown> {
    const { leases } = this.#deps;
    return Promise.allSettled(held.map(({ name, holder }) => leases.release(name, holder)));
  }
}
