import type { Right } from '@porthole/shared/config/access-schema';
import type { ConsoleKind, MachineType } from '@porthole/shared/grant/claims';
import type { RateLimits } from '@porthole/shared/store/ports';
import type { Decide } from '../access/decide.ts';
import type { Subject } from '../access/subject.ts';
import { embedTokenHeader } from '../grants/requester.ts';
import type { Step } from '../http/context.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { EmbedTokens } from '../sign-in/embed-tokens.ts';
import { limitReads } from '../sign-in/limit-reads.ts';
import type { RequireLogin } from '../sign-in/require-login.ts';

/** A machine that a user may open. */
interface VisibleConsole {
  readonly cluster: string;
  readonly node: string;
  readonly type: MachineType;
  readonly vmid: number;
  readonly name: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly pool?: string;
  readonly allow: readonly Right[];
  /** What the user may open. Whether a virtual machine has a serial port for a terminal, only the relay finds out. */
  readonly kinds: readonly ConsoleKind[];
}

/** GET /api/v1/consoles: the machines on which the user has a right. */
export function listConsoles(deps: {
  readonly requireLogin: RequireLogin;
  readonly embedTokens: Pick<EmbedTokens, 'read'>;
  readonly directory: Pick<MachineDirectory, 'list'>;
  readonly decide: Decide;
  readonly rateLimits: RateLimits;
}): Step {
  return async (ctx) => {
    ctx.state.route = 'consoles';
    const token = ctx.get(embedTokenHeader);
    const embedded = token === '' ? undefined : await deps.embedTokens.read(token);
    if (embedded) await limitReads(deps.rateLimits, embedded.user);
    const { user } = embedded ?? (await deps.requireLogin(ctx));
    ctx.state.user = user;
    const { machines, stale, staleSeconds, incomplete } = await deps.directory.list();
    const visible = visibleConsoles(machines, user, deps.decide);
    ctx.body = {
      // An embedded page sees the machine of its token only.
      consoles: embedded
        ? visible.filter(({ cluster, vmid }) => cluster === embedded.cluster && vmid === embedded.vmid)
        : visible,
      ...(stale ? { stale: true } : {}),
      ...(staleSeconds === undefined ? {} : { staleSeconds }),
      ...(incomplete ? { incomplete: true } : {}),
    };
  };
}

function visibleConsoles(
  machines: readonly Machine[],
  subject: Subject,
  decide: Decide,
): readonly VisibleConsole[] {
  return machines.flatMap((machine) => {
    const { allow } = decide(subject, machine);
    if (allow.length === 0) return [];
    const { cluster, node, type, vmid, status, tags, pool } = machine;
    return [
      {
        cluster,
        node,
        type,
        vmid,
        name: displayNameOf(machine),
        status,
        tags,
        ...(pool === undefined ? {} : { pool }),
        allow,
        kinds: kindsOf(allow),
      },
    ];
  });
}

const screenRights: ReadonlySet<Right> = new Set(['view', 'control', 'watch']);

function kindsOf(allow: readonly Right[]): readonly ConsoleKind[] {
  return [
    ...(allow.some((right) => screenRights.has(right)) ? (['screen'] as const) : []),
    ...(allow.includes('terminal') ? (['terminal'] as const) : []),
  ];
}
