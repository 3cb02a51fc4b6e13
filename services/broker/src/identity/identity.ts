import type { User } from './user.ts';

/** The user of a request and the sign-in that proves it. */
export interface Identity {
  readonly user: User;
  /** Names the sign-in in grants, signals, and logs. It opens nothing. */
  readonly loginRef: string;
  /** Set if a program sends the request. Only programs can ask on behalf of users. */
  readonly program?: Program;
}

export interface Program {
  readonly id: string;
  readonly name: string;
  /** Returns the user that the program asks for. Throws `impersonation_not_allowed`. */
  readonly impersonate: ImpersonationPolicy;
}

/** The user that a program names in `onBehalfOf`. */
export interface OnBehalfOf {
  readonly id: string;
  readonly name?: string | undefined;
  readonly groups: readonly string[];
}

/** Returns the user for an `onBehalfOf` that is allowed. Throws `impersonation_not_allowed` otherwise. */
export type ImpersonationPolicy = (user: OnBehalfOf) => User;
