import { storeDown } from './redis-error.ts';

/** Asks Redis. Whatever goes wrong rejects with `store_unavailable`. */
export type Ask = <T>(work: () => Promise<T>) => Promise<T>;

/** `use` throws when the store was stopped; `failed` is told of everything else that went wrong. */
export function createAsk(use: () => void, failed: () => void = () => {}): Ask {
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
