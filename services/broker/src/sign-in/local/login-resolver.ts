import { z } from 'zod';
import { digest } from '@porthole/shared/store/keys';
import type { LoginResolver } from '../logins/login-resolver.ts';
import type { LocalUsers } from './local-users.ts';
import type { LocalUser } from './users-file.ts';

const localLoginData = z.object({
  userName: z.string(),
  /** Identifies the password that opened the sign-in. A new password ends the sign-in. */
  passwordRef: z.string(),
});

/** Resolves sign-ins from the current users file, so a removed user or a changed password or group applies at once. */
export function createLocalLoginResolver(users: LocalUsers): LoginResolver {
  return {
    method: 'local',
    async resolveUser({ data }) {
      const parsed = localLoginData.safeParse(data);
      const found = parsed.success ? users.find(parsed.data.userName) : undefined;
      return found && passwordRef(found.passwordText) === parsed.data?.passwordRef ? found.user : undefined;
    },
  };
}

export function loginDataOf({ user, passwordText }: LocalUser): z.infer<typeof localLoginData> {
  return { userName: user.name, passwordRef: passwordRef(passwordText) };
}

/** Distinguishes the passwords of a user without revealing them. */
function passwordRef(passwordText: string): string {
  return digest(passwordText).slice(0, 32);
}
