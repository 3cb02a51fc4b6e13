import { z } from 'zod';
import { grantClaims } from '../grant/claims.ts';
import { parseJson } from '../parse-json.ts';
import type { RandomBytes } from '../crypto/random.ts';
import { seal, unseal, type SealContext, type SealKeys } from '../crypto/seal.ts';
import { digest, lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore, RecordStore } from '../store/ports.ts';

/** What is known about a live console: who, what, where, since when. */
export const sessionRecord = z.object({
  version: z.literal(1),
  sessionId: z.string().min(1).max(64),
  /** Which of its connections writes this. The newest one owns the session. */
  connection: z.string().min(1).max(64),
  relay: z.string().min(1).max(64),
  loginRef: z.string().max(64),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string().optional() }),
  cluster: z.string(),
  node: z.string(),
  type: grantClaims.shape.type,
  vmid: z.number().int(),
  machineName: z.string(),
  mode: grantClaims.shape.mode,
  kind: grantClaims.shape.kind,
  observer: grantClaims.shape.observer,
  /** When the session was first opened, in milliseconds since the epoch: connections come and go. */
  since: z.number().int(),
  /** Of this connection, as of the last heartbeat. */
  bytes: z.object({ toViewer: z.number().int(), toMachine: z.number().int() }),
});
export type SessionRecord = z.infer<typeof sessionRecord>;

export interface SessionRecords {
  /** Writes the record, whoever wrote it before: from now on this connection owns the session. */
  claim(record: SessionRecord): Promise<OwnedSessionRecord>;
  find(sessionId: string): Promise<SessionRecord | undefined>;
  /** The sessions that hold the lease of this name: those of a user, a machine, a relay, or all. */
  list(leaseName: string): Promise<SessionRecord[]>;
}

/** The record as long as nobody else claims it. */
export interface OwnedSessionRecord {
  /** Writes what has changed and keeps it alive. False when another connection owns the session now. */
  renew(record: SessionRecord, ttlMs?: number): Promise<boolean>;
  /** Deletes it. False when another connection owns the session now. */
  remove(): Promise<boolean>;
}

/**
 * Sealed with the services' key, so that the store neither reads nor forges them. The salt is no secret here, as
 * nobody bears a session's record: whoever has the key may read it.
 */
export function createSessionRecords(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'replace' | 'remove'>;
  readonly leases: Pick<LeaseStore, 'list'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): SessionRecords {
  const { records, leases, keys, random } = deps;

  async function read(idDigest: string): Promise<{ sealed: string; record: SessionRecord } | undefined> {
    const context = contextOf(idDigest);
    const sealed = await records.get(context.storeKey);
    const plain = sealed === undefined ? undefined : unseal(keys, context, sealed);
    if (sealed === undefined || plain === undefined) return undefined;
    const record = sessionRecord.safeParse(parseJson(plain));
    return record.success ? { sealed, record: record.data } : undefined;
  }

  async function claim(first: SessionRecord): Promise<OwnedSessionRecord> {
    const idDigest = digest(first.sessionId);
    const context = contextOf(idDigest);
    const { connection } = first;
    const isMine = ({ record }: { record: SessionRecord }) => record.connection === connection;
    const sealedOf = (record: SessionRecord) => seal(keys, random, context, JSON.stringify(record));
    let current = sealedOf(first);
    await records.put(context.storeKey, current, lifetimes.session);
    return {
      async renew(record, ttlMs = lifetimes.session) {
        const next = sealedOf(record);
        if (!(await records.replace(context.storeKey, current, next, ttlMs))) {
          const found = await read(idDigest);
          // Nothing: the store lost it. Our own: the store did what it then failed to answer.
          if (found && !isMine(found)) return false;
          await records.put(context.storeKey, next, ttlMs);
        }
        current = next;
        return true;
      },
      async remove() {
        if (await records.remove(context.storeKey, current)) return true;
        const found = await read(idDigest);
        return !found || (isMine(found) && records.remove(context.storeKey, found.sealed));
      },
    };
  }

  return {
    claim,
    find: async (sessionId) => (await read(digest(sessionId)))?.record,
    async list(leaseName) {
      const found = await Promise.all((await leases.list(leaseName)).map(read));
      return found.flatMap((each) => (each ? [each.record] : []));
    },
  };
}

function contextOf(idDigest: string): SealContext {
  return {
    token: Buffer.from(idDigest, 'hex'),
    purpose: 'porthole session v1',
    storeKey: storeKeys.session(idDigest),
  };
}
