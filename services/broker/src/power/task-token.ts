import { z } from 'zod';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { digest } from '@porthole/shared/store/keys';
import { openRecord, sealRecord, type SealedRecordType } from '@porthole/shared/store/sealed-records';

/** The user who started a task, and the machine of the task. */
export interface TaskOwner {
  readonly userId: string;
  readonly cluster: string;
  readonly vmid: number;
}

/**
 * Seals the UPID of a task for the browser: it names nodes and Porthole's Proxmox account. A token opens only for its
 * owner, so that users can follow only tasks that they started.
 */
export function createTaskTokens(deps: { readonly keys: SealKeys; readonly random: RandomBytes }) {
  return {
    seal: (owner: TaskOwner, upid: string): string => sealRecord(deps, taskToken, owner, upid),
    open: (owner: TaskOwner, token: string): string | undefined =>
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
