import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { digest } from '@porthole/shared/store/keys';
import { openRecord, sealRecord, type SealedRecordType } from '@porthole/shared/store/sealed-records';

/** Whose task it is, and of which machine. */
export interface TaskOwner {
  readonly userId: string;
  readonly cluster: string;
  readonly vmid: number;
}

/**
 * A task's UPID as a browser gets it: sealed, because it names nodes and Porthole's account at Proxmox, and so that
 * nobody follows a task that they did not begin.
 */
export function createTaskTokens(deps: { readonly keys: SealKeys; readonly random: RandomBytes }) {
  return {
    write: (owner: TaskOwner, upid: string): string => sealRecord(deps, taskToken, owner, upid),
    read: (owner: TaskOwner, token: string): string | undefined =>
      openRecord(deps.keys, taskToken, owner, token).value,
  };
}

/** The token is not stored, so the digest of its owner takes the place of the store key. */
const taskToken = {
  purpose: 'porthole task v1',
  schema: z.string(),
  locate: ({ userId, cluster, vmid }) => {
    const id = digest(JSON.stringify([userId, cluster, vmid]));
    return { token: Buffer.from(id, 'hex'), storeKey: id };
  },
} satisfies SealedRecordType<TaskOwner, string>;
