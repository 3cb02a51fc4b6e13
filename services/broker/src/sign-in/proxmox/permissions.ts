import type { z } from 'zod';
import type { Right } from '@porthole/shared/config/access-schema';
import type { permissionsAnswer } from '@porthole/shared/proxmox/answers';

/** What an account may do with the machines of its cluster. */
export type ProxmoxPermissions = (vmid: number) => ReadonlySet<Right>;

type Permissions = z.infer<typeof permissionsAnswer>['data'];

/**
 * By privilege, what rules may give at most. Whatever shows a screen, or ends what others see, is VM.Console; rules say
 * more narrowly who looks on at whom.
 */
const rightsByPrivilege: Readonly<Record<string, readonly Right[]>> = {
  'VM.Console': ['view', 'control', 'terminal', 'watch', 'end'],
  'VM.PowerMgmt': ['power'],
  'VM.Audit': ['explain'],
};

/** Whether the list of machines that Proxmox shows the account is needed to say what it reaches. */
export function inheritsFromVms(permissions: Permissions): boolean {
  return rightsIn(permissions['/vms'], (propagates) => propagates).size > 0;
}

/**
 * What an account reaches, by GET /access/permissions. That names the paths that have an entry of their own, with what
 * the account may do there; machines without one inherit from /vms. But it leaves out paths where the account may do
 * nothing, as where NoAccess takes everything away: these would look as if they inherited, too. So what is inherited
 * counts only for machines that Proxmox `lists` for the account (RPCEnvironment.pm, get_effective_permissions).
 */
export function parsePermissions(permissions: Permissions, listed: ReadonlySet<number>): ProxmoxPermissions {
  const inherited = rightsIn(permissions['/vms'], (propagates) => propagates);
  const own = new Map<number, ReadonlySet<Right>>();
  for (const [path, privileges] of Object.entries(permissions)) {
    const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
    if (vmid !== undefined)
      own.set(
        Number(vmid),
        rightsIn(privileges, () => true),
      );
  }
  return (vmid) => own.get(vmid) ?? (listed.has(vmid) ? inherited : nothing);
}

const nothing: ReadonlySet<Right> = new Set();

/** A privilege is there when it is named; its value says whether it holds further down, too. */
function rightsIn(
  privileges: Permissions[string] | undefined,
  counts: (propagates: boolean) => boolean,
): ReadonlySet<Right> {
  const found = Object.entries(privileges ?? {}).filter(([, propagates]) => counts(Boolean(propagates)));
  return new Set(
    found.flatMap(([name]) =>
      Object.hasOwn(rightsByPrivilege, name) ? (rightsByPrivilege[name] ?? []) : [],
    ),
  );
}
