import { asPortholeError, PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { addressKey } from '@porthole/shared/http/address-key';
import type { RateLimits } from '@porthole/shared/store/ports';

/** The lockout after this many wrong passwords within a period. More wrong passwords lock for longer. */
const budgets = [
  { wrong: 5, seconds: 60 },
  { wrong: 10, seconds: 600 },
  { wrong: 20, seconds: 3600 },
] as const;
type Budget = (typeof budgets)[number];

const wrongGuesses: ReadonlySet<ErrorCode> = new Set(['wrong_password', 'wrong_code']);
/** Seconds, if only attempts that are still being checked use up the budget. */
const retryAfterPending = 2;

/** Counts by name and address, so that an attacker can't lock users out who sign in from another address. */
export function lockoutKey(name: string, address: string): string {
  return `wrong-password/${name.normalize('NFC').toLowerCase()}/${addressKey(address)}`;
}

/**
 * Checks a password, or rejects with `rate_limited` after too many wrong ones. An attempt counts before the check, so
 * that simultaneous guesses can't exceed the budget, and is refunded unless the password was wrong.
 */
export async function withLockout<T>(
  rateLimits: RateLimits,
  key: string,
  checkPassword: () => Promise<T>,
): Promise<T> {
  for (const { wrong, seconds } of budgets) await rateLimits.check(key, wrong, seconds);
  await countAttempt(rateLimits, key);
  let isWrong = false;
  try {
    return await checkPassword();
  } catch (thrown) {
    isWrong = wrongGuesses.has(asPortholeError(thrown).code);
    throw thrown;
  } finally {
    if (!isWrong) await refund(rateLimits, key, budgets);
  }
}

async function countAttempt(rateLimits: RateLimits, key: string): Promise<void> {
  for (const [index, { wrong, seconds }] of budgets.entries()) {
    try {
      await rateLimits.spend(key, wrong, seconds);
    } catch (thrown) {
      // A rejected attempt counts in the store, too, but it is no guess.
      await refund(rateLimits, key, budgets.slice(0, index + 1));
      const { code } = asPortholeError(thrown);
      throw code === 'rate_limited' ? new PortholeError(code, { retryAfter: retryAfterPending }) : thrown;
    }
  }
}

/** Never rejects: a point that stays spent expires with its period. */
async function refund(rateLimits: RateLimits, key: string, spent: readonly Budget[]): Promise<void> {
  await Promise.allSettled(spent.map(({ wrong, seconds }) => rateLimits.refund(key, wrong, seconds)));
}
