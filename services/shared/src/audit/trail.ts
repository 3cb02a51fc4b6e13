import { z } from 'zod';
import type { AuditEvent } from './events.ts';
import type { Clock } from '../time/clock.ts';
import { randomId, type RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { digest, leaseNames, lifetimes, storeKeys } from '../store/keys.ts';
import type { Store } from '../store/ports.ts';
import { byDigest, getSealed, putSealed, type SealedRecordType } from '../store/sealed-records.ts';

const entry = z.looseObject({
  time: z.iso.datetime(),
  service: z.string(),
  event: z.string(),
});
/** An audit line without the field `audit`. */
export type AuditEntry = z.infer<typeof entry>;

const entryRecord = {
  purpose: 'porthole audit v1',
  schema: entry,
  locate: byDigest(storeKeys.auditEntry),
} satisfies SealedRecordType<string, AuditEntry>;

/** Entries per hour. The limit keeps failed sign-ins from filling the store. */
const maxPerHour = 2000;
/** Writes in flight to a slow store. */
const maxPendingWrites = 500;
const hourMs = 3_600_000;

/**
 * The audit events of the last 24 hours from all pods, for the audit page. The trail is best effort: beyond its limits,
 * or while the store is unavailable, events are missing here but not in the audit output.
 */
export interface AuditTrail {
  /** Stores an event. Never throws and never waits. */
  record(event: AuditEvent): void;
  /** Lists up to `limit` entries, newest first. */
  latest(limit: number): Promise<readonly AuditEntry[]>;
}

export function createAuditTrail(deps: {
  readonly service: string;
  readonly store: Pick<Store, 'records' | 'leases'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Pick<Clock, 'now'>;
}): AuditTrail {
  const { service, clock } = deps;
  const { records, leases } = deps.store;
  const sealDeps = { records, keys: deps.keys, random: deps.random };
  let pendingWrites = 0;

  const leaseForHour = (time: number) => leaseNames.audit(Math.floor(time / hourMs));

  async function write(event: AuditEvent, now: number): Promise<void> {
    const id = randomId(deps.random);
    const value = { time: new Date(now).toISOString(), service, ...event };
    if (!(await leases.tryAcquire(leaseForHour(now), id, maxPerHour, lifetimes.auditEntry))) return;
    await putSealed(sealDeps, entryRecord, digest(id), value, lifetimes.auditEntry);
  }

  async function read(idDigest: string): Promise<AuditEntry | undefined> {
    return (await getSealed(sealDeps, entryRecord, idDigest)).value;
  }

  return {
    record(event) {
      if (pendingWrites >= maxPendingWrites) return;
      pendingWrites++;
      void write(event, clock.now())
        .catch(() => {})
        .finally(() => pendingWrites--);
    },
    async latest(limit) {
      const found: AuditEntry[] = [];
      const now = clock.now();
      for (let ago = 0; ago <= lifetimes.auditEntry && found.length < limit; ago += hourMs) {
        const digests = (await leases.list(leaseForHour(now - ago))).slice(found.length - limit);
        const entries = await Promise.all(digests.map(read));
        found.push(...entries.filter((one) => one !== undefined).toReversed());
      }
      return found.slice(0, limit);
    },
  };
}
