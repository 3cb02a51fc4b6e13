import { z } from 'zod';
import type { AuditEvent } from './events.ts';
import type { Clock } from '../time/clock.ts';
import { parseJson } from '../parse-json.ts';
import { randomId, type RandomBytes } from '../crypto/random.ts';
import { seal, unseal, type SealContext, type SealKeys } from '../crypto/seal.ts';
import { digest, leaseNames, lifetimes, storeKeys } from '../store/keys.ts';
import type { Store } from '../store/ports.ts';

const entry = z.looseObject({
  time: z.iso.datetime(),
  service: z.string(),
  event: z.string(),
});
/** As a line of the audit, without what tells it from lines of a log. */
export type AuditEntry = z.infer<typeof entry>;

/** Entries of an hour. More are in the lines only: a store must not be filled by whoever tries passwords. */
const maxPerHour = 2000;
/** Entries that are on their way to a slow store. */
const maxPendingWrites = 500;
const hourMs = 3_600_000;

/**
 * The last day of the audit, where operators can read it, whichever pod it happened at. The lines themselves are the
 * audit: this is a view of it, and what finds no room or no store is missing here alone.
 */
export interface AuditTrail {
  /** Never throws, never waits. */
  record(event: AuditEvent): void;
  /** The newest first. */
  latest(limit: number): Promise<readonly AuditEntry[]>;
}

export function createAuditTrail(deps: {
  readonly service: string;
  readonly store: Pick<Store, 'records' | 'leases'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Pick<Clock, 'now'>;
}): AuditTrail {
  const { service, keys, random, clock } = deps;
  const { records, leases } = deps.store;
  let pendingWrites = 0;

  const leaseForHour = (time: number) => leaseNames.audit(Math.floor(time / hourMs));

  async function write(event: AuditEvent, now: number): Promise<void> {
    const id = randomId(random);
    const context = contextOf(digest(id));
    const text = JSON.stringify({ time: new Date(now).toISOString(), service, ...event });
    if (!(await leases.tryAcquire(leaseForHour(now), id, maxPerHour, lifetimes.auditEntry))) return;
    await records.put(context.storeKey, seal(keys, random, context, text), lifetimes.auditEntry);
  }

  async function read(idDigest: string): Promise<AuditEntry | undefined> {
    const context = contextOf(idDigest);
    const sealed = await records.get(context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    const parsed = entry.safeParse(plain === undefined ? undefined : parseJson(plain));
    return parsed.success ? parsed.data : undefined;
  }

  return {
    record(event) {
      if (pendingWrites >= maxPendingWrites) return;
      pendingWrites++;
      void write(event, clock.now())
        .catch(() => {})
        .finally(() => pendingWrites--);
    },
    async latest(most) {
      const found: AuditEntry[] = [];
      const now = clock.now();
      for (let ago = 0; ago <= lifetimes.auditEntry && found.length < most; ago += hourMs) {
        const digests = (await leases.list(leaseForHour(now - ago))).slice(found.length - most);
        const entries = await Promise.all(digests.map(read));
        found.push(...entries.filter((one) => one !== undefined).toReversed());
      }
      return found.slice(0, most);
    },
  };
}

/** The salt is no secret: whoever has the keys may read it. */
function contextOf(idDigest: string): SealContext {
  return {
    token: Buffer.from(idDigest, 'hex'),
    purpose: 'porthole audit v1',
    storeKey: storeKeys.auditEntry(idDigest),
  };
}
