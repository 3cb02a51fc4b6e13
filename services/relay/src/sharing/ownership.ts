import { asPortholeError, type ErrorCode } from '@porthole/shared/errors';
import type { ForeignOwner, MachineKey, MachineOwners, OwnedMachine, RelayAddress } from './contracts.ts';

export interface ReachableOwner extends ForeignOwner {
  readonly address: RelayAddress;
}

/** With these, an owner says that it is not the owner any more. */
export const notOwnerErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'owner_unreachable',
  'draining',
  'screen_moved',
]);

/** Why a relay opens a console although the machine has no owner record of it. */
export type UnownedReason = 'store_unavailable' | 'no_address';

/** Which relay has a machine's console. This one, with its record or without one, or another one. */
export type Ownership =
  { readonly owned: OwnedMachine } | { readonly unowned: UnownedReason } | { readonly owner: ReachableOwner };

/** The machine's console is at another relay. */
export class OwnedElsewhere extends Error {
  readonly owner: ReachableOwner;

  constructor(owner: ReachableOwner) {
    super('another relay owns the machine');
    this.owner = owner;
  }
}

/** Claims a machine. If the owner can't be reached or the store is away, this relay has a console of its own. */
export async function claimMachine(
  owners: MachineOwners,
  machine: MachineKey,
  options: { readonly signal: AbortSignal; readonly instead?: ForeignOwner | undefined },
): Promise<Ownership> {
  const { signal, instead } = options;
  try {
    const claim = await owners.claim(machine, instead ? { signal, instead } : { signal });
    if ('owned' in claim) return claim;
    const { address, record } = claim.owner;
    return address === undefined ? { unowned: 'no_address' } : { owner: { address, record } };
  } catch (error) {
    if (asPortholeError(error).code === 'store_unavailable') return { unowned: 'store_unavailable' };
    throw error;
  }
}
