import type { RandomBytes } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { ConcurrencyLimiter } from '../concurrency-limiter.ts';
import type { LocalUsers } from './local-users.ts';
import { dummyHash, passwordMatches } from './password-hash.ts';
import type { LocalUser } from './users-file.ts';

/** Returns the user. Rejects with `wrong_password`, after the same time for an unknown name as for a wrong password. */
export type CheckPassword = (name: string, password: string) => Promise<LocalUser>;

export function createCheckPassword(deps: {
  readonly users: LocalUsers;
  readonly limiter: ConcurrencyLimiter;
  readonly random: RandomBytes;
}): CheckPassword {
  const dummy = dummyHash(deps.random);
  return async (name, password) => {
    const user = deps.users.find(name);
    const matches = await deps.limiter.run(() => passwordMatches(password, user?.password ?? dummy));
    if (!user) throw new PortholeError('wrong_password', { detail: 'unknown user name' });
    if (!matches)
      throw new PortholeError('wrong_password', { detail: `wrong password for ${user.user.name}` });
    return user;
  };
}
