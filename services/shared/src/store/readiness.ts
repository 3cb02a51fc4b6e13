import type { Store } from './ports.ts';

/**
 * Readiness check that passes once the store has responded, and from then on. A new pod that cannot reach the store must
 * not replace one that can. But if all pods lose the store, they must stay ready, so that users see Porthole's error
 * message instead of the ingress's.
 */
export function createStoreReadiness(store: Pick<Store, 'healthy'>): () => Promise<readonly string[]> {
  let answered = false;
  return async () => {
    answered ||= await store.healthy();
    return answered ? [] : ['the store has not responded yet'];
  };
}
