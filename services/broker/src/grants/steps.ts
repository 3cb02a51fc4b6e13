import { z } from 'zod';
import type { Clock } from '@porthole/shared/clock';
import { PortholeError } from '@porthole/shared/errors';
import { soon } from '@porthole/shared/soon';
import { leaseNames } from '@porthole/shared/store/keys';
import type { LeaseStore, RateLimits } from '@porthole/shared/store/ports';
import type { Decide, Right } from '../access/decide.ts';
import { badRequestOf } from '../http/bad-request.ts';
import type { MachineDirectory } from '../machines/directory.ts';
import type { Machine } from '../machines/machine.ts';
import type { User } from '../sign-in/user.ts';

const grantWish = z.strictObject({
  mode: z.enum(['view', 'control']),
  kind: z.enum(['screen', 'terminal']).default('screen'),
});
export type GrantWish = z.infer<typeof grantWish>;

export function parseGrantWish(body: unknown): GrantWish {
  const parsed = grantWish.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  return parsed.data;
}

export function limitGrants(rateLimits: RateLimits, user: User, perMinute: number): Promise<void> {
  return rateLimits.spend(`grants/user/${user.id}`, perMinute, 60);
}

/** Numbers as Proxmox writes them. Anything else, `1e3` above all, is nobody's machine. */
const vmidPattern = /^[1-9]\d{2,8}$/;

export interface FoundMachine {
  readonly machine: Machine;
  readonly rights: readonly Right[];
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
  if (!vmidPattern.test(vmid)) throw new PortholeError('machine_not_found', { detail: 'not a vmid' });
  const machine = await deps.directory.find(cluster, Number(vmid));
  const rights = deps.decide(user, machine);
  if (rights.length === 0)
    throw new PortholeError('machine_not_found', {
      detail: `${cluster}/${vmid} exists, but no rule names it`,
    });
  return { machine, rights };
}

/** A terminal is a right of its own, in either mode: a serial port may lead to where no screen does. */
export function authorise({ machine, rights }: FoundMachine, { kind, mode }: GrantWish): void {
  const right = kind === 'terminal' ? kind : mode;
  if (!rights.includes(right))
    throw new PortholeError('not_allowed', { detail: `${right} of ${machine.cluster}/${machine.vmid}` });
}

/** The relay counts for real; here it spares people a page that opens only to say no. */
export async function checkQuota(
  { leases, clock }: { readonly leases: Pick<LeaseStore, 'count'>; readonly clock: Clock },
  user: User,
  most: number,
): Promise<void> {
  const hasRoom = async () => (await leases.count(leaseNames.user(user.id))) < most;
  if (!(await soon(clock, hasRoom))) throw new PortholeError('user_limit', { detail: `${most} consoles` });
}
