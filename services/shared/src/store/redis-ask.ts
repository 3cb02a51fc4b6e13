import { storeDown } from './redis-error.ts';

/** Asks Redis. Whatever goes wrong rejects with `store_down`. */
export type Ask = <T>(work: () => Promise<T>) => Promise<T>;

/** `use` throws when the store was stopped. */
export function createAsk(use: () => void): Ask {
  return async (work) => {
    use();
    try {
      return await work();
    } catch (error) {
      throw storeDown(error);
    }
  };
}
