/** Privileges of an account by path: Proxmox's access lists, with privileges in place of roles. */
export type Acl = Readonly<Record<string, readonly string[]>>;

export interface UserOptions {
  /** `name@realm`. */
  readonly userid: string;
  readonly password: string;
  /** Requires a second factor, for which only this code is valid. */
  readonly totp?: string;
  /** Recovery keys: second factors that are each valid once. */
  readonly recovery?: readonly string[];
  /** A hardware key, which tests can not use. */
  readonly webauthn?: boolean;
  /** Default true. */
  readonly enabled?: boolean;
  readonly acl?: Acl;
}

export interface TokenOptions {
  /** `name@realm!token`; the owner must be one of the users. */
  readonly tokenid: string;
  readonly secret: string;
  /** Default true: the token has the privileges that both its own list and its owner's list grant. */
  readonly privsep?: boolean;
  readonly acl?: Acl;
}

export interface Permissions {
  has(identity: string, path: string, privilege: string): boolean;
  at(identity: string, path: string): ReadonlySet<string>;
  /** All paths that have an entry for any account, and the top-level ones: GET /access/permissions examines these. */
  paths(): string[];
  /** Whether a privilege at the path propagates below it. Privileges from a pool never do. */
  propagates(identity: string, path: string, privilege: string): boolean;
  setAcl(identity: string, acl: Acl): void;
}

export const everyPrivilege = [
  'VM.Console',
  'VM.Audit',
  'VM.PowerMgmt',
  'Sys.Audit',
  'Sys.Console',
  'Pool.Audit',
] as const;

export function createPermissions(options: {
  users: readonly UserOptions[];
  tokens: readonly TokenOptions[];
  poolOf(vmid: number): string | undefined;
  /** The guests of each pool. */
  pooled(): readonly number[];
}): Permissions {
  const lists = new Map<string, Acl>();
  for (const user of options.users) lists.set(user.userid, user.acl ?? {});
  for (const token of options.tokens) lists.set(token.tokenid, token.acl ?? {});

  /** Roles of the pool that a guest is in add to those of the guest's own path. */
  const ownPrivileges = (identity: string, path: string) => {
    if (identity === 'root@pam') return new Set<string>(everyPrivilege);
    const list = lists.get(identity) ?? {};
    const entry = deepestEntry(list, path);
    // An entry without privileges is the role NoAccess, which the roles of a pool do not override.
    if (entry?.length === 0) return new Set<string>();
    const found = new Set(entry);
    const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
    const pool = vmid ? options.poolOf(Number(vmid)) : undefined;
    if (pool !== undefined)
      for (const privilege of deepestEntry(list, `/pool/${pool}`) ?? []) found.add(privilege);
    return found;
  };

  const at = (identity: string, path: string): ReadonlySet<string> => {
    const token = options.tokens.find((candidate) => candidate.tokenid === identity);
    if (!token) return ownPrivileges(identity, path);
    const owner = ownPrivileges(ownerOf(identity), path);
    if (token.privsep === false) return owner;
    return new Set([...ownPrivileges(identity, path)].filter((privilege) => owner.has(privilege)));
  };

  return {
    at,
    has: (identity, path, privilege) => at(identity, path).has(privilege),
    paths: () => [
      ...new Set([
        ...topPaths,
        ...[...lists.values()].flatMap((list) => Object.keys(list)),
        ...options.pooled().map((vmid) => `/vms/${vmid}`),
      ]),
    ],
    propagates(identity, path, privilege) {
      const owner = options.tokens.find(({ tokenid, privsep }) => tokenid === identity && privsep === false);
      const who = owner ? ownerOf(identity) : identity;
      return who === 'root@pam' || deepestEntry(lists.get(who) ?? {}, path)?.includes(privilege) === true;
    },
    setAcl: (identity, acl) => void lists.set(identity, acl),
  };
}

/** RPCEnvironment.pm, get_effective_permissions. */
const topPaths = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];

export const ownerOf = (tokenid: string) => tokenid.split('!')[0] ?? tokenid;

/** Entries propagate downwards, and an entry on a deeper path replaces the inherited ones. */
function deepestEntry(list: Acl, path: string): readonly string[] | undefined {
  for (let here = path; ; here = here.slice(0, Math.max(1, here.lastIndexOf('/')))) {
    const entry = list[here];
    if (entry) return entry;
    if (here === '/') return undefined;
  }
}
