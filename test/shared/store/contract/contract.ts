import type { Store } from '@porthole/shared/store/ports';

/** Does not expire within a test, even on a slow machine. */
export const long = 600_000;
/** Expires within a test. */
export const short = 100;

/** What the tests of one part of the contract need. */
export interface StoreContract {
  /** Two clients of the same backend, such as two pods. To be called in tests and hooks. */
  clients(): { readonly store: Store; readonly other: Store };
  /** A name that no other test uses. */
  aName(): string;
  /** Advances the store's time until `read` resolves to `expected`. */
  advanceUntil<T>(read: () => Promise<T>, expected: T): Promise<void>;
}
