import type { Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { permissionsAnswer, resourcesAnswer } from '@porthole/shared/proxmox/answers';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import type { AccountTicket } from './authenticator.ts';
import { inheritsFromVms, parsePermissions, type ProxmoxPermissions } from './permissions.ts';

/** How old an answer may be for somebody who only looks, and for somebody who is about to do something. */
const looksMs = 60_000;
const actsMs = 2000;
/** How long whoever only looks is served from the last answer while Proxmox gives none, and how often it is asked. */
const awayMs = 600_000;
const againMs = 10_000;
/** Sign-ins of which one broker remembers something. Whose is forgotten is asked for again. */
const most = 10_000;

/** What accounts reach, as Proxmox said a short while ago. */
export interface PermissionCache {
  /** Rejects with `not_signed_in` when Proxmox does not take the ticket. */
  get(ref: string, ticket: AccountTicket, acts: boolean): Promise<ProxmoxPermissions>;
}

interface Entry {
  answer?: { readonly reach: ProxmoxPermissions; readonly at: number };
  pending?: Promise<ProxmoxPermissions> | undefined;
  failedAt?: number;
}

/** Asked with the account's own ticket, so it needs no right of ours: Proxmox tells everybody about themselves. */
export function createPermissionCache(deps: {
  readonly client: Pick<ProxmoxClient, 'get'>;
  readonly clock: Pick<Clock, 'now'>;
}): PermissionCache {
  const { client, clock } = deps;
  const entries = new Map<string, Entry>();

  async function ask({ ticket }: AccountTicket): Promise<ProxmoxPermissions> {
    const as = { cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}` };
    const { data } = await client
      .get({ path: '/access/permissions', schema: permissionsAnswer, as })
      .catch((thrown: unknown) => {
        const error = asPortholeError(thrown);
        throw error.code === 'proxmox_credential'
          ? new PortholeError('not_signed_in', { cause: error })
          : error;
      });
    if (!inheritsFromVms(data)) return parsePermissions(data, new Set());
    const listed = await client.get({ path: '/cluster/resources?type=vm', schema: resourcesAnswer, as });
    return parsePermissions(data, new Set(listed.data.map(({ vmid }) => vmid)));
  }

  async function refresh(ref: string, entry: Entry, ticket: AccountTicket): Promise<ProxmoxPermissions> {
    const at = clock.now();
    try {
      const reach = await ask(ticket);
      entry.answer = { reach, at };
      return reach;
    } catch (thrown) {
      entry.failedAt = clock.now();
      if (asPortholeError(thrown).code === 'not_signed_in') entries.delete(ref);
      throw thrown;
    }
  }

  function entryOf(ref: string): Entry {
    const entry = entries.get(ref) ?? {};
    // Whoever was there last goes last.
    entries.delete(ref);
    entries.set(ref, entry);
    const [oldest] = entries.keys();
    if (entries.size > most && oldest !== undefined) entries.delete(oldest);
    return entry;
  }

  return {
    async get(ref, ticket, acts) {
      const entry = entryOf(ref);
      const now = clock.now();
      const { answer, failedAt = Number.NEGATIVE_INFINITY } = entry;
      const age = answer ? now - answer.at : Number.POSITIVE_INFINITY;
      if (answer && age < (acts ? actsMs : looksMs)) return answer.reach;
      const mayBeOld = !acts && age < awayMs;
      if (answer && mayBeOld && now - failedAt < againMs) return answer.reach;
      entry.pending ??= refresh(ref, entry, ticket).finally(() => (entry.pending = undefined));
      return entry.pending.catch((thrown: unknown) => {
        if (answer && mayBeOld && asPortholeError(thrown).code !== 'not_signed_in') return answer.reach;
        throw thrown;
      });
    },
  };
}
