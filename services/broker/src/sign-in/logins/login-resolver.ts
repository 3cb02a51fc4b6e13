import type { Login } from './login-sessions.ts';
import type { User } from '../../identity/user.ts';

/** A way to sign in that leaves a sign-in behind. */
export interface LoginResolver {
  /** In records, logs, metrics: "local", "oidc:school". */
  readonly method: string;
  /**
   * For whom a living sign-in stands now; undefined when it is worth nothing any more. `acts`: they are about to do
   * something, and not only to look, so what is known of them should be as new as can be.
   */
  resolveUser(login: Login, asks: { readonly requireFresh: boolean }): Promise<User | undefined>;
  /** Where the browser signs out at whoever signed the person in, too. */
  providerSignOutUrl?(login: Login): Promise<string | undefined>;
}
