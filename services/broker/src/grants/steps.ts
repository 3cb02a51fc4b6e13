import { z } from 'zod';
import type { Clock } from '@porthole/shared/time/clock';
import { PortholeError } from '@porthole/shared/errors';
import { machineNumber } from '@porthole/shared/grant/claims';
import { pollUntil } from '@porthole/shared/time/poll-until';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore, RateLimits } from '@porthole/shared/store/ports';
import type { Decide, Decision } from '../access/decide.ts';
import type { Terms } from '../access/terms.ts';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { Machine } from '../machines/machine.ts';
import type { User } from '../identity/user.ts';
import { onBehalfOf } from './on-behalf-of.ts';

const grantWish = z.strictObject({
  mode: z.enum(['view', 'control']),
  kind: z.enum(['screen', 'terminal']).default('screen'),
  /** Look on at what others do, who are told. */
  watch: z.boolean().default(false),
  onBehalfOf: onBehalfOf.optional(),
});
export type GrantWish = z.infer<typeof grantWish>;

export function parseGrantWish(body: unknown): GrantWish {
  const parsed = grantWish.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  if (parsed.data.watch && parsed.data.mode !== 'view')
    throw new BadRequest('watch: whoever looks on asks for mode view');
  return parsed.data;
}

export function limitGrants(rateLimits: RateLimits, user: User, perMinute: number): Promise<void> {
  return rateLimits.spend(`grants/user/${user.id}`, perMinute, 60);
}

/** Numbers as Proxmox writes them. Anything else, `1e3` above all, is nobody's machine. */
export const isVmid = (text: string) => machineNumber.test(text);

export interface FoundMachine {
  readonly machine: Machine;
  readonly decision: Decision;
}

/**
 * The machine, as it is now, with what this user may do with it. One that is not there and one that is not theirs
 * are the same answer, so that nobody finds out by asking which machines exist.
 */
export async function findMachine(
  deps: { readonly directory: Pick<MachineDirectory, 'find'>; readonly decide: Decide },
  user: User,
  cluster: string,
  vmid: string,
): Promise<FoundMachine> {
  if (!isVmid(vmid)) throw new PortholeError('machine_not_found', { detail: 'not a vmid' });
  const machine = await deps.directory.find(cluster, Number(vmid));
  const decision = deps.decide(user, machine);
  if (decision.allow.length === 0)
    throw new PortholeError('machine_not_found', {
      detail: `${cluster}/${vmid} exists, but no rule names it`,
    });
  return { machine, decision };
}

/** What a console is granted for. */
export interface Authorised {
  readonly terms: Terms;
  /** When its rules end, if before the session's own end. */
  readonly until: number | undefined;
  readonly observer: boolean;
  /** By which rules, for the audit. */
  readonly rules: readonly string[];
}

/** A terminal is a right of its own, in either mode: a serial port may lead to where no screen does. */
export function authorise({ machine, decision }: FoundMachine, wish: GrantWish): Authorised {
  const { mode, kind } = wish;
  const opening = kind === 'terminal' ? kind : mode;
  const mayWatch = decision.allow.includes('watch');
  const terms = decision.terms(opening);
  if (!terms || (wish.watch && !mayWatch))
    throw new PortholeError('not_allowed', {
      detail: `${wish.watch ? 'watch' : opening} of ${machine.cluster}/${machine.vmid}`,
    });
  const rights = opening === 'view' ? (['view', 'watch'] as const) : [opening];
  return {
    terms,
    until: decision.until(opening),
    // Whoever may look on does so whenever they only look: nobody is watched without being told.
    observer: mode === 'view' && mayWatch,
    rules: [...new Set(rights.flatMap((right) => decision.rulesFor(right)))],
  };
}

/** The relay counts for real; here it spares people a page that opens only to say no. */
export async function checkQuota(
  { leases, clock }: { readonly leases: Pick<LeaseStore, 'count'>; readonly clock: Clock },
  user: User,
  most: number,
): Promise<void> {
  const hasRoom = async () => (await leases.count(leaseNames.user(user.id))) < most;
  if (!(await pollUntil(clock, hasRoom)))
    throw new PortholeError('user_limit', { detail: `${most} consoles` });
}
