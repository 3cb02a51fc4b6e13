import { createKeyedDigests } from '@porthole/shared/crypto/keyed-digests';
import { randomId, type RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { PortholeError } from '@porthole/shared/errors';
import { lifetimes, storeKeys } from '@porthole/shared/store/keys';
import type { RecordStore } from '@porthole/shared/store/ports';
import {
  addSealed,
  byDigest,
  openRecord,
  removeSealed,
  replaceSealed,
  type SealedRecordType,
} from '@porthole/shared/store/sealed-records';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { z } from 'zod';
import type { ForeignOwner, MachineKey, MachineOwners, OwnedMachine, RelayAddress } from './contracts.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

/** Unknown fields are dropped, because during an upgrade relays of two versions share the store. */
const ownerRecord = z.object({
  version: z.literal(1),
  /** The owner's internal listener. Absent if other relays cannot reach it. */
  address: z.string().min(1).max(300).optional(),
  /** Tells one claim from every other, also after a store call whose answer was lost. */
  holder: z.string().min(1).max(64),
});
type OwnerRecord = z.infer<typeof ownerRecord>;

const recordType = {
  purpose: 'porthole machine owner v1',
  schema: ownerRecord,
  locate: byDigest(storeKeys.machineOwner),
} satisfies SealedRecordType<string, OwnerRecord>;

/** Each further attempt means that the record was changed between two steps of this one. */
const maxAttempts = 5;

export interface MachineOwnersDeps {
  readonly records: Pick<RecordStore, 'add' | 'get' | 'replace' | 'remove'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  /** The address that is published. Undefined if other relays cannot reach this one. */
  readonly address: RelayAddress | undefined;
  readonly metrics: Pick<SharingMetrics, 'ownerChanged'>;
}

/** A record in the store that was written by a claim of this relay. */
interface HeldRecord {
  /** The keyed digest of the machine that locates it. */
  readonly id: string;
  readonly sealed: string;
  /** The grant key that it was written with. */
  readonly key: string | undefined;
}

type Claimed =
  | { readonly held: HeldRecord; readonly owner?: undefined }
  | { readonly held?: undefined; readonly owner: ForeignOwner };

/**
 * The records of which relay owns which machine's console. Claim a machine once per relay: a second claim finds the
 * record of the first.
 */
export function createMachineOwners(deps: MachineOwnersDeps): MachineOwners {
  const records = new OwnerRecords(deps);
  return {
    async claim({ cluster, vmid }, { signal, instead }) {
      signal.throwIfAborted();
      const claim = { name: nameOf({ cluster, vmid }), holder: randomId(deps.random) };
      const taken = instead && (await records.takeOver(claim, instead.record));
      const { held, owner } = taken ? { held: taken } : await records.claim(claim);
      if (!held) return { owner };
      if (signal.aborted) {
        await records.remove(held).catch(() => {});
        throw signal.reason as Error;
      }
      if (taken) deps.metrics.ownerChanged('taken_over');
      return { owned: new HeldMachine(deps, records, claim, held) };
    },
  };
}

const nameOf = ({ cluster, vmid }: MachineKey) => `machine owner/${cluster}/${vmid}`;

interface Claim {
  readonly name: string;
  readonly holder: string;
}

/**
 * Each step is one atomic change of one record. While grant keys rotate, two relays may write under different digests:
 * after its own record is written, a relay looks under the digests of the other keys, and steps back if it finds an owner.
 */
class OwnerRecords {
  readonly #deps: MachineOwnersDeps;
  readonly #names: ReturnType<typeof createKeyedDigests>;

  constructor(deps: MachineOwnersDeps) {
    this.#deps = deps;
    this.#names = createKeyedDigests(deps.keys);
  }

  async claim(claim: Claim): Promise<Claimed> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const [id, ...otherIds] = this.#names.all(claim.name);
      const key = this.#deps.keys()[0];
      const value = this.#valueOf(claim);
      const sealed = await addSealed(this.#deps, recordType, id, value, lifetimes.machineOwner);
      if (sealed !== undefined) {
        const held = { id, sealed, key };
        const owner = await this.#findOther(claim, otherIds);
        if (!owner) return { held };
        await this.remove(held);
        return { owner };
      }
      const found = await this.#deps.records.get(storeKeys.machineOwner(id));
      if (found === undefined) continue;
      const { value: record, problem } = openRecord(this.#deps.keys, recordType, id, found);
      if (record?.holder === claim.holder) return { held: { id, sealed: found, key } };
      if (problem !== 'not_authentic') return { owner: { address: record?.address, record: found } };
      // Forged, or sealed with a removed key: no relay that is trusted owns the machine.
      const replaced = await replaceSealed(this.#deps, recordType, id, found, value, lifetimes.machineOwner);
      if (replaced !== undefined) return { held: { id, sealed: replaced, key } };
    }
    throw new PortholeError('store_unavailable', { detail: 'the owner record changes too often' });
  }

  /** Replaces the record of an owner, if it has not changed. */
  async takeOver(claim: Claim, expected: string): Promise<HeldRecord | undefined> {
    const key = this.#deps.keys()[0];
    for (const id of this.#names.all(claim.name)) {
      const value = this.#valueOf(claim);
      const ttl = lifetimes.machineOwner;
      const sealed = await replaceSealed(this.#deps, recordType, id, expected, value, ttl);
      if (sealed !== undefined) return { id, sealed, key };
    }
    return undefined;
  }

  /**
   * Extends the life of a record, and writes it again if the store has lost it. The text stays the same, so that a relay
   * that has read it can still take over an owner that renews, but cannot be reached.
   */
  async renew(claim: Claim, held: HeldRecord): Promise<Claimed> {
    if (held.key !== this.#deps.keys()[0]) return this.#rewrite(claim, held);
    const { id, sealed } = held;
    const key = storeKeys.machineOwner(id);
    if (await this.#deps.records.replace(key, sealed, sealed, lifetimes.machineOwner)) return { held };
    return this.claim(claim);
  }

  async remove(held: HeldRecord): Promise<void> {
    await removeSealed(this.#deps.records, recordType, held.id, held.sealed);
  }

  /** Another grant key is the first one now. A record sealed with a key that is removed would count as forged. */
  async #rewrite(claim: Claim, held: HeldRecord): Promise<Claimed> {
    const { id, sealed } = held;
    const key = storeKeys.machineOwner(id);
    if (!(await this.#deps.records.replace(key, sealed, sealed, lifetimes.machineOwner)))
      return this.claim(claim);
    const claimed = await this.claim(claim);
    await this.remove(held);
    return claimed;
  }

  async #findOther(claim: Claim, ids: readonly string[]): Promise<ForeignOwner | undefined> {
    for (const id of ids) {
      const record = await this.#deps.records.get(storeKeys.machineOwner(id));
      const { value } = openRecord(this.#deps.keys, recordType, id, record);
      if (value && value.holder !== claim.holder && record !== undefined)
        return { address: value.address, record };
    }
    return undefined;
  }

  #valueOf({ holder }: Claim): OwnerRecord {
    const { address } = this.#deps;
    return { version: 1, holder, ...(address === undefined ? {} : { address }) };
  }
}

/** A machine that this relay owns, until another one has replaced the record. */
class HeldMachine implements OwnedMachine {
  readonly #records: OwnerRecords;
  readonly #claim: Claim;
  readonly #metrics: MachineOwnersDeps['metrics'];
  readonly #cancelRenewal: Cancel;
  #held: HeldRecord | undefined;
  #onLost: ((owner: ForeignOwner) => void) | undefined;
  #lostTo: ForeignOwner | undefined;
  #busy = false;
  /** One store call at a time: a renewal that came after the removal would bring the record back. */
  #lastCall: Promise<void> = Promise.resolve();
  #released: Promise<void> | undefined;

  constructor(deps: MachineOwnersDeps, records: OwnerRecords, claim: Claim, held: HeldRecord) {
    this.#records = records;
    this.#claim = claim;
    this.#metrics = deps.metrics;
    this.#held = held;
    this.#cancelRenewal = every(deps.clock, lifetimes.machineOwner / 3, () => this.#renew());
  }

  onLost(listener: (owner: ForeignOwner) => void): void {
    if (this.#lostTo) listener(this.#lostTo);
    else this.#onLost = listener;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#cancelRenewal();
    await this.#lastCall;
    const held = this.#held;
    // If the store is unavailable, the record expires.
    if (held) await this.#records.remove(held).catch(() => {});
  }

  #renew(): void {
    const held = this.#held;
    if (this.#busy || !held) return;
    this.#busy = true;
    this.#lastCall = this.#records
      .renew(this.#claim, held)
      .then(
        (claimed) => {
          this.#held = claimed.held;
          if (claimed.owner) this.#lose(claimed.owner);
        },
        // While the store is unavailable, the claim lives on.
        () => {},
      )
      .finally(() => (this.#busy = false));
  }

  #lose(owner: ForeignOwner): void {
    this.#cancelRenewal();
    this.#lostTo = owner;
    if (this.#released) return;
    this.#metrics.ownerChanged('lost');
    this.#onLost?.(owner);
  }
}
