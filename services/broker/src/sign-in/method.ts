import type { Login } from './login-sessions.ts';
import type { User } from './user.ts';

/** A way to sign in that leaves a sign-in behind. */
export interface LoginMethod {
  /** In records, logs, metrics: "local", "oidc:school". */
  readonly name: string;
  /** For whom a living sign-in stands now; undefined when it is worth nothing any more. */
  userOf(login: Login): Promise<User | undefined>;
  /** A form by which the browser signs out where it signed in, too. */
  farewell?(login: Login): Promise<FarewellForm | undefined>;
}

/** To be posted by the page: what it holds has no place in an address. */
export interface FarewellForm {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}
