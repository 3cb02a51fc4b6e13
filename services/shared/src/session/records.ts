import { z } from 'zod';
import { grantClaims } from '../grant/claims.ts';
import { PortholeError } from '../errors.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { digest, lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore, RecordStore } from '../store/ports.ts';
import {
  addSealed,
  byDigest,
  getSealed,
  putSealed,
  removeSealed,
  replaceSealed,
  type SealedRecordType,
} from '../store/sealed-records.ts';

/** A live console session. */
export const sessionRecord = z.object({
  version: z.literal(1),
  sessionId: z.string().min(1).max(64),
  /** The connection that wrote the record. The newest connection of a session owns it. */
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
  /** True while the console at Proxmox is released, because the page is hidden. */
  parked: z.boolean().optional(),
  /** Present while no relay carries the session: its connection was lost, and it may resume. */
  disconnected: z.literal(true).optional(),
  /** True while a shared screen serves the session, which has no console of its own at Proxmox. */
  shared: z.boolean().optional(),
  /** True while the session has taken control of its machine. */
  hasControl: z.boolean().optional(),
  classes: grantClaims.shape.classes,
  /** When the session was first opened, whatever the connection. Milliseconds since the epoch. */
  since: z.number().int(),
  /** Bytes of this connection, as of one of the last `renewalsPerSeal` heartbeats. */
  bytes: z.object({ toViewer: z.number().int(), toMachine: z.number().int() }),
});
export type SessionRecord = z.infer<typeof sessionRecord>;

export interface SessionRecords {
  /**
   * Writes the record and makes this connection the owner of the session, whichever connection owned it before.
   * `generation` is that of its grant; 0 for the first connection of a session.
   */
  claim(record: SessionRecord, generation: number): Promise<OwnedSessionRecord>;
  find(sessionId: string): Promise<SessionRecord | undefined>;
  /** Lists the sessions that hold the lease of this name: those of a user, a machine, or all. */
  list(leaseName: string): Promise<SessionRecord[]>;
}

/** The record of a session for the connection that claimed it. */
export interface OwnedSessionRecord {
  /** Greater than that of every earlier connection of the session. */
  readonly generation: number;
  /**
   * Writes the record and extends its life, also when the store has lost it. Answers false, and writes nothing, if a
   * newer connection owns the session.
   */
  renew(record: SessionRecord, ttlMs?: number): Promise<boolean>;
  /** Deletes the record. Answers false, and deletes nothing, if a newer connection owns the session. */
  remove(): Promise<boolean>;
}

/**
 * `generation` counts the connections of a session. When the store has lost the record or holds an older one, it decides
 * which of two connections is the newer one: the older one may write the record again first.
 */
const ownedRecord = sessionRecord.extend({ generation: z.number().int().nonnegative() });
type OwnedRecord = z.infer<typeof ownedRecord>;

/** By the digest of the session id: the lease that lists sessions answers digests. */
const recordType = {
  purpose: 'porthole session v1',
  schema: ownedRecord,
  locate: byDigest(storeKeys.session),
} satisfies SealedRecordType<string, OwnedRecord>;

/**
 * Most renewals only extend the life of the record, because sealing it anew costs several times as much as all else that
 * a session does while it is idle. At least one of so many writes it: for its bytes, and for a new grant key.
 */
export const renewalsPerSeal = 3;

/** Each further attempt means that another connection wrote the record between two steps of this one. */
const maxAttempts = 5;

interface SessionRecordDeps {
  readonly records: Pick<RecordStore, 'put' | 'add' | 'get' | 'replace' | 'remove'>;
  readonly leases: Pick<LeaseStore, 'list'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}

export function createSessionRecords(deps: SessionRecordDeps): SessionRecords {
  return {
    async claim(record, fromGrant) {
      const id = digest(record.sessionId);
      const { value: previous } = await getSealed(deps, recordType, id);
      // A used grant that was written back names a generation that another connection has already.
      const generation = Math.max(fromGrant, previous ? previous.generation + 1 : 0);
      const sealed = await putSealed(deps, recordType, id, { ...record, generation }, lifetimes.session);
      return new ConnectionRecord(deps, id, generation, { record, sealed });
    },
    find: async (sessionId) => (await getSealed(deps, recordType, digest(sessionId))).value,
    async list(leaseName) {
      const ids = await deps.leases.list(leaseName);
      const found = await Promise.all(ids.map((id) => getSealed(deps, recordType, id)));
      return found.flatMap(({ value }) => value ?? []);
    },
  };
}

/** A class because a relay has thousands. */
class ConnectionRecord implements OwnedSessionRecord {
  readonly generation: number;
  readonly #deps: SessionRecordDeps;
  readonly #id: string;
  readonly #connection: string;
  /** As this connection has written it last. */
  #sealed: string;
  #facts: string;
  #renewals = 0;

  constructor(
    deps: SessionRecordDeps,
    id: string,
    generation: number,
    written: { readonly record: SessionRecord; readonly sealed: string },
  ) {
    this.#deps = deps;
    this.#id = id;
    this.generation = generation;
    this.#connection = written.record.connection;
    this.#sealed = written.sealed;
    this.#facts = changingFacts(written.record);
  }

  async renew(record: SessionRecord, ttlMs: number = lifetimes.session): Promise<boolean> {
    const facts = changingFacts(record);
    const unchanged = ++this.#renewals % renewalsPerSeal !== 0 && facts === this.#facts;
    if (unchanged && (await this.#extend(ttlMs))) return true;
    const written = await this.#write({ ...record, generation: this.generation }, ttlMs);
    if (written === undefined) return false;
    this.#sealed = written;
    this.#facts = facts;
    return true;
  }

  async remove(): Promise<boolean> {
    const { records } = this.#deps;
    if (await removeSealed(records, recordType, this.#id, this.#sealed)) return true;
    const found = await getSealed(this.#deps, recordType, this.#id);
    if (!found.value) return true;
    return this.#mayOverwrite(found.value) && removeSealed(records, recordType, this.#id, found.sealed);
  }

  #extend(ttlMs: number): Promise<boolean> {
    const sealed = this.#sealed;
    return this.#deps.records.replace(storeKeys.session(this.#id), sealed, sealed, ttlMs);
  }

  /** Answers the sealed text, or undefined if a newer connection owns the session. */
  async #write(next: OwnedRecord, ttlMs: number): Promise<string | undefined> {
    const deps = this.#deps;
    const id = this.#id;
    let expected = this.#sealed;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const replaced = await replaceSealed(deps, recordType, id, expected, next, ttlMs);
      if (replaced !== undefined) return replaced;
      const found = await getSealed(deps, recordType, id);
      if (found.problem === 'not_found') {
        const added = await addSealed(deps, recordType, id, next, ttlMs);
        if (added !== undefined) return added;
      } else if (!found.value) return putSealed(deps, recordType, id, next, ttlMs);
      else if (this.#mayOverwrite(found.value)) expected = found.sealed;
      else return undefined;
    }
    throw new PortholeError('store_unavailable', { detail: 'the session record changes too often' });
  }

  #mayOverwrite(found: OwnedRecord): boolean {
    return found.connection === this.#connection || found.generation < this.generation;
  }
}

/** What a session says about itself that changes, except for its bytes. */
function changingFacts({ node, parked, disconnected, shared, hasControl, since }: SessionRecord): string {
  return JSON.stringify([node, parked, disconnected, shared, hasControl, since]);
}
