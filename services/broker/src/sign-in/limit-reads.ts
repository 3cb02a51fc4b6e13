import type { RateLimits } from '@porthole/shared/store/ports';
import type { User } from '../identity/user.ts';

/** A user with twenty windows sends about 100. */
const perMinute = 600;

/** Rejects with `rate_limited` if a user reads too often: each list is computed for its user. */
export function limitReads(rateLimits: RateLimits, { id }: Pick<User, 'id'>): Promise<void> {
  return rateLimits.spend(`reads/user/${id}`, perMinute, 60);
}
