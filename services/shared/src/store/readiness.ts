import type { Store } from './ports.ts';

/**
 * Whether the store has ever answered. For readiness: a pod that can't reach its store at the start must not
 * replace one that can; but once all pods lose it together, taking them all out of service helps nobody, and
 * people would see an ingress's error instead of our sentence.
 */
export function createStoreReadiness(store: Pick<Store, 'healthy'>): () => Promise<readonly string[]> {
  let answered = false;
  return async () => {
    answered ||= await store.healthy();
    return answered ? [] : ['the store has not responded yet'];
  };
}
