import type { PermissionBoundary } from '../access/subject.ts';

/** The signed-in user that a request acts for. */
export interface User {
  /** Starts with the sign-in method ("local:anna"), so that users of different methods never share an ID. */
  readonly id: string;
  /** The name that access rules match and that `{user}` expands to. */
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly groups: readonly string[];
  /** Other claims of the identity provider that access rules match. */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
  /** Default: `person`. */
  readonly kind?: 'person' | 'program';
  /** Upper bound of the rights, from the user's Proxmox account. */
  readonly permissionBoundary?: PermissionBoundary;
}

/** The part of a user that the API returns. */
export function toPublicUser({ id, name, displayName, groups }: User) {
  return { id, name, ...(displayName === undefined ? {} : { displayName }), groups };
}
