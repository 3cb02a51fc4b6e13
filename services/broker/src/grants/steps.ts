import { PortholeError } from '@porthole/shared/errors';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore, RateLimits } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { pollUntil } from '@porthole/shared/time/poll-until';
import type { SessionPolicy } from '../access/session-policy.ts';
import type { User } from '../identity/user.ts';
import type { VisibleMachine } from '../machines/find-visible-machine.ts';
import type { GrantRequest } from './grant-request.ts';

export function limitGrants(rateLimits: RateLimits, user: User, perMinute: number): Promise<void> {
  return rateLimits.spend(`grants/user/${user.id}`, perMinute, 60);
}

/** What the rules permit for a requested console. */
export interface AuthorisedConsole {
  readonly policy: SessionPolicy;
  /** Milliseconds since the epoch. Undefined: for the whole session. */
  readonly validUntil: number | undefined;
  readonly observer: boolean;
  /** The names of the rules that permit it, for the audit log. */
  readonly rules: readonly string[];
}

/** A terminal needs its own right in both modes, because a serial port can lead where no screen does. */
export function authorise({ machine, decision }: VisibleMachine, request: GrantRequest): AuthorisedConsole {
  const { mode, kind } = request;
  const accessMode = kind === 'terminal' ? kind : mode;
  const mayWatch = decision.allow.includes('watch');
  const policy = decision.policyFor(accessMode);
  if (!policy || (request.watch && !mayWatch))
    throw new PortholeError('not_allowed', {
      detail: `${request.watch ? 'watch' : accessMode} of ${machine.cluster}/${machine.vmid}`,
    });
  const rights = accessMode === 'view' ? (['view', 'watch'] as const) : [accessMode];
  return {
    policy,
    validUntil: decision.validUntil(accessMode),
    // A user with the right `watch` is an observer in every view-only console, so that it is always announced.
    observer: mode === 'view' && mayWatch,
    rules: [...new Set(rights.flatMap((right) => decision.rulesGranting(right)))],
  };
}

/** Rejects early with `user_limit`, before the browser opens a page. The relay enforces the limit. */
export async function checkQuota(
  { leases, clock }: { readonly leases: Pick<LeaseStore, 'count'>; readonly clock: Clock },
  user: User,
  limit: number,
): Promise<void> {
  const hasRoom = async () => (await leases.count(leaseNames.user(user.id))) < limit;
  if (!(await pollUntil(clock, hasRoom)))
    throw new PortholeError('user_limit', { detail: `${limit} consoles` });
}
