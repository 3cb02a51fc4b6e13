import type { z } from 'zod';
import type { Right } from '@porthole/shared/config/access-schema';
import type { permissionsResponse } from '@porthole/shared/proxmox/responses';

/** Returns the upper bound of an account's rights for a machine of its cluster. */
export type ProxmoxPermissions = (vmid: number) => ReadonlySet<Right>;

type PermissionsAnswer = z.infer<typeof permissionsResponse>['data'];

/**
 * The rights that a Proxmox privilege allows at most. Everything that shows a screen or ends consoles needs VM.Console;
 * access rules narrow down whose consoles a user can observe.
 */
const rightsByPrivilege: Readonly<Record<string, readonly Right[]>> = {
  'VM.Console': ['view', 'control', 'terminal', 'watch', 'end', 'recordings'],
  'VM.PowerMgmt': ['power'],
  'VM.Audit': ['explain'],
};

/** Returns whether machines inherit rights from /vms. `parsePermissions` then needs the account's list of machines. */
export function inheritsFromVms(answer: PermissionsAnswer): boolean {
  return rightsIn(answer['/vms'], (propagates) => propagates).size > 0;
}

/**
 * Parses the answer of GET /access/permissions. The answer has the paths with an entry of their own; other machines
 * inherit from /vms. It omits paths where the account has no privilege, such as machines with NoAccess, which then look
 * like inheriting ones. So inherited rights apply only to the machines that Proxmox lists for the account
 * (RPCEnvironment.pm, get_effective_permissions).
 */
export function parsePermissions(answer: PermissionsAnswer, listed: ReadonlySet<number>): ProxmoxPermissions {
  const inherited = rightsIn(answer['/vms'], (propagates) => propagates);
  const own = new Map<number, ReadonlySet<Right>>();
  for (const [path, privileges] of Object.entries(answer)) {
    const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
    if (vmid === undefined) continue;
    const rights = rightsIn(privileges, () => true);
    own.set(Number(vmid), rights);
  }
  return (vmid) => own.get(vmid) ?? (listed.has(vmid) ? inherited : noRights);
}

const noRights: ReadonlySet<Right> = new Set();

/** The account has every privilege that is named. The value only says whether it propagates to paths below. */
function rightsIn(
  privileges: PermissionsAnswer[string] | undefined,
  counts: (propagates: boolean) => boolean,
): ReadonlySet<Right> {
  const held = Object.entries(privileges ?? {}).filter(([, propagates]) => counts(Boolean(propagates)));
  return new Set(
    held.flatMap(([name]) => (Object.hasOwn(rightsByPrivilege, name) ? (rightsByPrivilege[name] ?? []) : [])),
  );
}
