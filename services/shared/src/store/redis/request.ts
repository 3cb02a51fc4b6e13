import { toStoreError } from './error.ts';

/** Asks Redis. Whatever goes wrong rejects with `store_unavailable`. */
export type StoreRequest = <T>(work: () => Promise<T>) => Promise<T>;

/** `use` throws when the store was stopped; `failed` is told of everything else that went wrong. */
export function createStoreRequest(assertOpen: () => void, onFailure: () => void = () => {}): StoreRequest {
  return async (work) => {
    assertOpen();
    try {
      return await work();
    } catch (error) {
      onFailure();
      throw toStoreError(error);
    }
  };
}
