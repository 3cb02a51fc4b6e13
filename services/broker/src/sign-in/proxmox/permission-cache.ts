import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { permissionsResponse, resourcesResponse } from '@porthole/shared/proxmox/responses';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { digest } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';
import type { AccountTicket } from './authenticator.ts';
import { inheritsFromVms, parsePermissions, type ProxmoxPermissions } from './permissions.ts';

/** Milliseconds for which an answer counts, for requests that read and for requests that change something. */
const readMaxAgeMs = 60_000;
const freshMaxAgeMs = 2000;
/** While Proxmox fails, requests that read get answers up to this age, and Proxmox is asked again after the pause. */
const staleMaxAgeMs = 600_000;
const retryPauseMs = 10_000;
const maxEntries = 10_000;

/** The permissions of Proxmox accounts, cached by account and ticket. */
export interface PermissionCache {
  /**
   * Returns the permissions of a ticket's account. Rejects with `not_signed_in` if Proxmox rejects the ticket. With
   * `requireFresh`, the answer is at most two seconds old.
   */
  get(ticket: AccountTicket, requireFresh: boolean): Promise<ProxmoxPermissions>;
}

interface Entry {
  /** `at` is when Proxmox was asked, in milliseconds since the epoch. */
  answer?: { readonly permissions: ProxmoxPermissions; readonly at: number };
  pending?: { readonly answer: Promise<ProxmoxPermissions>; readonly at: number } | undefined;
  failedAt?: number;
}

/** Asks with the account's own ticket: Proxmox shows every account its own permissions. */
export function createPermissionCache(deps: {
  readonly client: Pick<ProxmoxClient, 'get'>;
  readonly clock: Pick<Clock, 'now'>;
}): PermissionCache {
  const { client, clock } = deps;
  const entries = new Map<string, Entry>();

  async function refresh(key: string, entry: Entry, ticket: AccountTicket, at: number) {
    try {
      const permissions = await requestPermissions(client, ticket);
      // A slow request must not replace the answer of a later one.
      if (!entry.answer || entry.answer.at <= at) entry.answer = { permissions, at };
      return permissions;
    } catch (thrown) {
      entry.failedAt = clock.now();
      if (asPortholeError(thrown).code === 'not_signed_in') entries.delete(key);
      throw thrown;
    } finally {
      if (entry.pending?.at === at) entry.pending = undefined;
    }
  }

  /** Returns the entry, and moves it to the end of the eviction order. */
  function entryOf(key: string): Entry {
    const entry = entries.get(key) ?? {};
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return entry;
  }

  return {
    async get(ticket, requireFresh) {
      const key = `${ticket.userid} ${digest(ticket.ticket)}`;
      const entry = entryOf(key);
      const now = clock.now();
      const maxAgeMs = requireFresh ? freshMaxAgeMs : readMaxAgeMs;
      const { answer, failedAt = Number.NEGATIVE_INFINITY } = entry;
      const age = answer ? now - answer.at : Number.POSITIVE_INFINITY;
      if (answer && age < maxAgeMs) return answer.permissions;
      const allowStale = !requireFresh && age < staleMaxAgeMs;
      if (answer && allowStale && now - failedAt < retryPauseMs) return answer.permissions;
      // A request that runs for longer than the answer may be old does not count as fresh.
      if (!entry.pending || now - entry.pending.at >= maxAgeMs)
        entry.pending = { answer: refresh(key, entry, ticket, now), at: now };
      return entry.pending.answer.catch((thrown: unknown) => {
        if (answer && allowStale && asPortholeError(thrown).code !== 'not_signed_in')
          return answer.permissions;
        throw thrown;
      });
    },
  };
}

async function requestPermissions(
  client: Pick<ProxmoxClient, 'get'>,
  { ticket }: AccountTicket,
): Promise<ProxmoxPermissions> {
  const credentialHeaders = { cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}` };
  try {
    const { data } = await client.get({
      path: '/access/permissions',
      schema: permissionsResponse,
      credentialHeaders,
    });
    if (!inheritsFromVms(data)) return parsePermissions(data, new Set());
    const machines = await client.get({
      path: '/cluster/resources?type=vm',
      schema: resourcesResponse,
      credentialHeaders,
    });
    return parsePermissions(data, new Set(machines.data.map(({ vmid }) => vmid)));
  } catch (thrown) {
    const error = asPortholeError(thrown);
    if (error.code === 'proxmox_credential') throw new PortholeError('not_signed_in', { cause: error });
    throw error;
  }
}
