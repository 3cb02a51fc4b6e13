import type { ImpersonationConfig } from '@porthole/shared/config/sign-in-schema';
import { PortholeError } from '@porthole/shared/errors';
import { compileNamePattern } from '../../access/name-pattern.ts';
import type { ImpersonationPolicy } from '../../identity/identity.ts';

/**
 * Compiles the `impersonation` setting to a policy for each program. The ID of the returned user starts with the
 * program's, so a program can't take over consoles of users who signed in, or of another program's users.
 */
export function compileImpersonation(
  config: ImpersonationConfig | undefined,
): (program: string) => ImpersonationPolicy {
  const matchers = (config?.users ?? []).map(compileNamePattern);
  return (program) =>
    ({ id, name, groups }) => {
      const deny = (reason: string) =>
        new PortholeError('impersonation_not_allowed', { detail: `${program} ${reason}` });
      if (!config) throw deny('has no impersonation setting');
      const userName = (name ?? id).normalize('NFC');
      if (!matchers.some((matches) => matches(userName, { user: '', groups: [] })))
        throw deny('may not act for a user of that name');
      if (!groups.every((group) => config.groups.includes(group)))
        throw deny('may not name one of these groups');
      return { id: `${program}/${id}`, name: userName, groups };
    };
}
