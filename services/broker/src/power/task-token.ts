import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest } from '@porthole/shared/store/keys';

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
    write: (owner: TaskOwner, upid: string): string => seal(deps.keys, deps.random, contextOf(owner), upid),
    read: (owner: TaskOwner, token: string): string | undefined => unseal(deps.keys, contextOf(owner), token),
  };
}

function contextOf({ userId, cluster, vmid }: TaskOwner): SealContext {
  const id = digest(JSON.stringify([userId, cluster, vmid]));
  return { token: Buffer.from(id, 'hex'), purpose: 'porthole task v1', storeKey: id };
}
