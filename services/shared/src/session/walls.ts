import { z } from 'zod';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { wallClaims } from '../grant/wall-claims.ts';
import { digest, leaseNames, lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore, RecordStore } from '../store/ports.ts';
import {
  byDigest,
  deleteSealed,
  getSealed,
  putSealed,
  type SealedRecordType,
} from '../store/sealed-records.ts';

/** A wall that is open, for those whose machines it shows. */
const wallRecord = z.object({ version: z.literal(1), user: wallClaims.shape.user });
type WallRecord = z.infer<typeof wallRecord>;
export type WallUser = WallRecord['user'];

const recordType = {
  purpose: 'porthole wall v1',
  schema: wallRecord,
  locate: byDigest(storeKeys.wall),
} satisfies SealedRecordType<string, WallRecord>;

interface Machine {
  readonly cluster: string;
  readonly vmid: number;
}

/**
 * Which users see which machines on a wall: one record per wall, and a lease per machine that says that the wall shows
 * it. All expire with the relay that wrote them. Rejects with `store_unavailable`.
 */
export interface WallRecords {
  /** Writes the record, or extends its life. */
  keep(wallId: string, user: WallUser): Promise<void>;
  /** The wall shows these machines, from now on or still. */
  show(wallId: string, machines: readonly Machine[]): Promise<void>;
  remove(wallId: string, machines: readonly Machine[]): Promise<void>;
  usersWatching(machine: Machine): Promise<WallUser[]>;
}

export function createWallRecords(deps: {
  readonly records: Pick<RecordStore, 'put' | 'get' | 'delete'>;
  readonly leases: Pick<LeaseStore, 'join' | 'release' | 'list'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): WallRecords {
  const { records, leases } = deps;
  const nameOf = ({ cluster, vmid }: Machine) => leaseNames.walls(cluster, vmid);
  return {
    async keep(wallId, { id, name, displayName }) {
      const user = { id, name, ...(displayName === undefined ? {} : { displayName }) };
      await putSealed(deps, recordType, digest(wallId), { version: 1, user }, lifetimes.wall);
    },
    async show(wallId, machines) {
      const ttl = lifetimes.consoleLease;
      await Promise.all(
        machines.map((machine) => leases.join(nameOf(machine), wallId, Number.MAX_SAFE_INTEGER, ttl)),
      );
    },
    async remove(wallId, machines) {
      await Promise.all([
        deleteSealed(records, recordType, digest(wallId)),
        ...machines.map((machine) => leases.release(nameOf(machine), wallId)),
      ]);
    },
    async usersWatching(machine) {
      const walls = await leases.list(nameOf(machine));
      const found = await Promise.all(walls.map((wall) => getSealed(deps, recordType, wall)));
      return found.flatMap(({ value }) => value?.user ?? []);
    },
  };
}
