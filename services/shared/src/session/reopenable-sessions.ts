import type { GrantClaims } from '../grant/claims.ts';
import { digest, leaseNames, lifetimes } from '../store/keys.ts';
import type { LeaseStore } from '../store/ports.ts';

/** A session of a user, and its console. */
export interface ReopenableSession extends Pick<GrantClaims, 'sessionId' | 'cluster' | 'vmid' | 'kind'> {
  readonly userId: string;
}

/**
 * The sessions that were open and that their user may reopen: those that live, and those that ended for
 * `lifetimes.reopenable` at most by a cause from which pages recover by themselves, such as an outage of Proxmox. Only
 * a relay adds a session, when its console is open, so having one is the proof that a grant request returns to it.
 *
 * Each method rejects with `store_unavailable` if the store does not respond.
 */
export interface ReopenableSessions {
  /** Adds or renews the session. If the user has `limit` others, does nothing: reopening is a new request then. */
  add(session: ReopenableSession, limit: number): Promise<void>;
  remove(session: ReopenableSession): Promise<void>;
  has(session: ReopenableSession): Promise<boolean>;
}

export function createReopenableSessions(
  leases: Pick<LeaseStore, 'tryAcquire' | 'release' | 'list'>,
): ReopenableSessions {
  return {
    async add(session, limit) {
      await leases.tryAcquire(leaseOf(session), holderOf(session), limit, lifetimes.reopenable);
    },
    remove: (session) => leases.release(leaseOf(session), holderOf(session)),
    has: async (session) => (await leases.list(leaseOf(session))).includes(digest(holderOf(session))),
  };
}

const leaseOf = ({ userId }: ReopenableSession) => leaseNames.reopenable(userId);

/** Contains the console, so that a session cannot be reopened as the console of another machine. */
function holderOf({ sessionId, cluster, vmid, kind }: ReopenableSession): string {
  return JSON.stringify([sessionId, cluster, vmid, kind]);
}
