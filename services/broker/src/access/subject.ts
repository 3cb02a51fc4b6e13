import type { Right } from '@porthole/shared/config/access-schema';
import type { MachineType } from '@porthole/shared/grant/claims';

/** The user or program that a decision is about. */
export interface Subject {
  readonly name: string;
  readonly groups: readonly string[];
  /** Claims of the sign-in, by name. */
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Default: person. */
  readonly kind?: 'person' | 'program' | undefined;
  /** Upper limit of the rights that rules can give, such as the permissions of a Proxmox account. */
  readonly permissionBoundary?: PermissionBoundary | undefined;
}

export type PermissionBoundary = (target: Target) => ReadonlySet<Right>;

/** The machine or node that a decision is about. */
export interface Target {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  readonly name: string | undefined;
  readonly pool: string | undefined;
  readonly tags: readonly string[];
}
