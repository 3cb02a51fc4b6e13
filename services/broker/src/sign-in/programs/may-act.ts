import type { ImpersonationConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { compileNamePattern } from '../../access/name-pattern.ts';
import type { OnBehalfOf } from '../identify.ts';
import type { User } from '../user.ts';

/**
 * The user for whom a program asks. Their id holds the program's, so no program can take over what somebody has open
 * who signed in themselves, or for whom another program asked. Throws `impersonation_not_allowed`.
 */
export function createActFor(
  program: string,
  allowed: ImpersonationConfig | undefined,
): (user: OnBehalfOf) => User {
  const matchers = (allowed?.users ?? []).map(compileNamePattern);
  return ({ id, name, groups }) => {
    if (!allowed)
      throw new PortholeError('impersonation_not_allowed', { detail: `${program} may act for nobody` });
    const called = (name ?? id).normalize('NFC');
    if (!matchers.some((matches) => matches(called, { user: '', groups: [] })))
      throw new PortholeError('impersonation_not_allowed', {
        detail: `${program} may not act for a user of that name`,
      });
    const foreign = groups.find((group) => !allowed.groups.includes(group));
    if (foreign !== undefined)
      throw new PortholeError('impersonation_not_allowed', {
        detail: `${program} may not name one of these groups`,
      });
    return { id: `${program}/${id}`, name: called, groups };
  };
}
