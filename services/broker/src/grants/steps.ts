import { PortholeError } from '@porthole/shared/errors';
import { leaseNames } from '@porthole/shared/store/keys';
import type { ReopenableSession, ReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import type { LeaseStore, RateLimits } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { pollUntil } from '@porthole/shared/time/poll-until';
import type { SessionPolicy } from '../access/session-policy.ts';
import type { User } from '../identity/user.ts';
import type { VisibleMachine } from '../machines/find-visible-machine.ts';
import type { GrantRequest } from './grant-request.ts';

/** A page that backs off requests six grants in the first minute of an outage. */
const reopensPerMinute = 10;

/**
 * Counts a grant request against `perMinute` of its user. A request that returns to a session which the user has or had
 * open is not a new one: it counts against a limit of that session, and the session's id is returned. Rejects with
 * `rate_limited`.
 */
export async function limitGrants(
  {
    rateLimits,
    reopenable,
  }: { readonly rateLimits: RateLimits; readonly reopenable: Pick<ReopenableSessions, 'has'> },
  requested: ReopenableConsole,
  perMinute: number,
): Promise<string | undefined> {
  const { userId, reopens, ...console } = requested;
  if (reopens !== undefined && (await reopenable.has({ userId, sessionId: reopens, ...console }))) {
    await rateLimits.spend(`grants/reopen/${reopens}`, reopensPerMinute, 60);
    return reopens;
  }
  await rateLimits.spend(`grants/user/${userId}`, perMinute, 60);
  return undefined;
}

interface ReopenableConsole extends Omit<ReopenableSession, 'sessionId'> {
  readonly reopens: string | undefined;
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
  const { mode, kind, inputWhenTaken } = request;
  const accessMode = kind === 'terminal' ? kind : mode;
  const mayWatch = decision.allow.includes('watch');
  const policy = decision.policyFor(accessMode);
  const mustWatch = request.watch || inputWhenTaken;
  if (!policy || (mustWatch && !mayWatch))
    throw new PortholeError('not_allowed', {
      detail: `${policy ? 'watch' : accessMode} of ${machine.cluster}/${machine.vmid}`,
    });
  const rights =
    accessMode === 'view'
      ? (['view', 'watch'] as const)
      : [accessMode, ...(inputWhenTaken ? (['watch'] as const) : [])];
  if (policy.record?.consent && !request.consent)
    throw new PortholeError('consent_required', {
      detail: `the rule ${policy.record.rule} requires consent to the recording`,
    });
  return {
    policy,
    validUntil: decision.validUntil(accessMode),
    // A user with the right `watch` is an observer in every console that is view-only at first, so that it is announced.
    observer: (mode === 'view' || inputWhenTaken) && mayWatch,
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
