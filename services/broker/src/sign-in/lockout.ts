import { addressKey } from '@porthole/shared/http/address-key';
import { asPortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { RateLimits } from '@porthole/shared/store/ports';

/** Wrong passwords, and the seconds in which so many are one too many: who goes on waits longer and longer. */
const steps = [
  { wrong: 5, seconds: 60 },
  { wrong: 10, seconds: 600 },
  { wrong: 20, seconds: 3600 },
] as const;

const guesses: ReadonlySet<ErrorCode> = new Set(['wrong_password', 'wrong_code']);

/** Of one name from one address: nobody locks somebody else out by trying their name. */
export function lockoutKey(name: string, address: string): string {
  return `wrong-password/${name.normalize('NFC').toLowerCase()}/${addressKey(address)}`;
}

/**
 * Rejects with `rate_limited` and the wait, without looking at the password, after too many wrong ones. The right one
 * costs nothing, however often somebody signs in.
 */
export async function withLockout<T>(
  rateLimits: RateLimits,
  key: string,
  checkPassword: () => Promise<T>,
): Promise<T> {
  for (const { wrong, seconds } of steps) await rateLimits.check(key, wrong, seconds);
  try {
    return await checkPassword();
  } catch (thrown) {
    if (guesses.has(asPortholeError(thrown).code))
      for (const { wrong, seconds } of steps) await rateLimits.spend(key, wrong, seconds).catch(() => {});
    throw thrown;
  }
}
