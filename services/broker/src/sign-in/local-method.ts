import { z } from 'zod';
import { digest } from '@porthole/shared/store/keys';
import type { LocalUsers } from './local-users.ts';
import type { LoginMethod } from './method.ts';
import type { LocalUser } from './users-file.ts';

const localFacts = z.object({
  userName: z.string(),
  /** Stands for the password that opened it: with another password it is worth nothing. */
  passwordRef: z.string(),
});

/**
 * Users of the file as it is now: people who were removed, or got another password or other groups, don't keep until
 * tomorrow what they had when they signed in.
 */
export function createLocalMethod(users: LocalUsers): LoginMethod {
  return {
    name: 'local',
    async userOf({ facts }) {
      const parsed = localFacts.safeParse(facts);
      const found = parsed.success ? users.find(parsed.data.userName) : undefined;
      return found && passwordRef(found.passwordText) === parsed.data?.passwordRef ? found.user : undefined;
    },
  };
}

export function localFactsOf({ user, passwordText }: LocalUser): z.infer<typeof localFacts> {
  return { userName: user.name, passwordRef: passwordRef(passwordText) };
}

/** Tells one password of a user from the next, and nothing else. */
function passwordRef(passwordText: string): string {
  return digest(passwordText).slice(0, 32);
}
