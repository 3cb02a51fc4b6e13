import { storeDown } from './error.ts';

/** Asks Redis. Whatever goes wrong rejects with `store_unavailable`. */
export type StoreRequest = <T>(work: () => Promise<T>) => Promise<T>;

/** `use` throws when the store was stopped; `failed` is told of everything else that went wrong. */
export function createStoreRequest(use: () => void, failed: () => void = () => {}): StoreRequest {
  return async (work) => {
    use();
    try {
      return await work();
    } catch (error) {
      failed();
      throw storeDown(error);
    }
  };
}
