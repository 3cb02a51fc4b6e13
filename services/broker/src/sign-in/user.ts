import type { PermissionBoundary } from '../access/subject.ts';

/** Somebody who signed in, as the rest of the broker knows them. */
export interface User {
  /** Unique over all ways to sign in, so that a later one can't take over somebody's consoles: "local:anna". */
  readonly id: string;
  /** What access rules name and `{user}` stands for. */
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly groups: readonly string[];
  /** What an issuer says of them besides, for rules that ask. */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
  /** Default: a person. */
  readonly kind?: 'person' | 'program';
  /** What Proxmox gives them, whoever signed in there. */
  readonly permissionBoundary?: PermissionBoundary;
}
