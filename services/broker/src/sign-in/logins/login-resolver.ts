import type { User } from '../../identity/user.ts';
import type { Login } from './login-sessions.ts';

/** Resolves the sign-ins of one method to users. */
export interface LoginResolver {
  /** The method as in records, logs, and metrics: "local", "oidc:school". */
  readonly method: string;
  /**
   * Returns the user as known now, or undefined if the sign-in is no longer valid. With `requireFresh`, the request
   * changes something, so cached rights must be at most seconds old.
   */
  resolveUser(login: Login, options: { readonly requireFresh: boolean }): Promise<User | undefined>;
  /** Returns the page of the identity provider that signs the user out there, if there is one. */
  providerSignOutUrl?(): Promise<string | undefined>;
}
