import { PortholeError } from '@porthole/shared/errors';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { BoundedWork } from './bounded-work.ts';
import type { LocalUsers } from './local-users.ts';
import { hashOfNobody, passwordMatches } from './password-hash.ts';
import type { LocalUser } from './users-file.ts';

export type CheckPassword = (name: string, password: string) => Promise<LocalUser>;

/** Resolves with the user, or rejects with `wrong_password` after the same time for a wrong name as for a wrong password. */
export function createCheckPassword(deps: {
  readonly users: LocalUsers;
  readonly work: BoundedWork;
  readonly random: RandomBytes;
}): CheckPassword {
  const nobody = hashOfNobody(deps.random);
  return async (name, password) => {
    const found = deps.users.find(name);
    const matches = await deps.work.run(() => passwordMatches(password, found?.password ?? nobody));
    if (!found) throw new PortholeError('wrong_password', { detail: 'there is no such user' });
    if (!matches)
      throw new PortholeError('wrong_password', { detail: `wrong password for ${found.user.name}` });
    return found;
  };
}
