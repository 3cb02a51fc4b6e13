import type { RandomBytes } from '@porthole/shared/crypto/random';
import { seal, unseal, type SealContext, type SealKeys } from '@porthole/shared/crypto/seal';
import { digest } from '@porthole/shared/store/keys';

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
    seal: (owner: TaskOwner, upid: string): string => seal(deps.keys, deps.random, contextOf(owner), upid),
    open: (owner: TaskOwner, token: string): string | undefined => unseal(deps.keys, contextOf(owner), token),
  };
}

function contextOf({ userId, cluster, vmid }: TaskOwner): SealContext {
  const id = digest(JSON.stringify([userId, cluster, vmid]));
  return { token: Buffer.from(id, 'hex'), purpose: 'porthole task v1', storeKey: id };
}
