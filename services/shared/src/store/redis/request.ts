import { toStoreError } from './error.ts';

/** Runs a call to Redis. Any failure rejects with `store_unavailable`. */
export type StoreRequest = <T>(work: () => Promise<T>) => Promise<T>;

/** `assertOpen` throws if the store was stopped. `onFailure` is called for each other failure. */
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
