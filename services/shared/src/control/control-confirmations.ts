import { z } from 'zod';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import { lifetimes, storeKeys } from '../store/keys.ts';
import type { RecordStore } from '../store/ports.ts';
import { byDigest, getSealed, putSealed, type SealedRecordType } from '../store/sealed-records.ts';
import type { ControlledMachine } from './machine-controls.ts';

const confirmation = z.object({
  version: z.literal(1),
  /** The session that has control as the relay knows it. Missing: no user has taken control. */
  sessionId: z.string().min(1).max(64).optional(),
});

const confirmationRecord = {
  purpose: 'porthole control confirmation v1',
  schema: confirmation,
  locate: byDigest(storeKeys.controlConfirmation),
} satisfies SealedRecordType<string, z.infer<typeof confirmation>>;

/**
 * Relays confirm that they hold back input as a change of control demands, so that input of the new holder passes only
 * after that of the old one has ended at other relays. Rejects with `store_unavailable`.
 */
export interface ControlConfirmations {
  /** From now on, this relay holds back all but this session, or none that waits for control. */
  confirm(machine: ControlledMachine, relay: string, sessionId: string | undefined): Promise<void>;
  /** Whether that is what the relay has confirmed last. */
  isConfirmed(machine: ControlledMachine, relay: string, sessionId: string | undefined): Promise<boolean>;
}

export function createControlConfirmations(deps: {
  readonly records: Pick<RecordStore, 'get' | 'put'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): ControlConfirmations {
  const names = createKeyedDigests(deps.keys);
  const nameOf = ({ cluster, vmid }: ControlledMachine, relay: string) =>
    `control-confirmation/${cluster}/${vmid}/${relay}`;

  return {
    async confirm(machine, relay, sessionId) {
      const nameDigest = names.of(nameOf(machine, relay));
      const value = { version: 1 as const, ...(sessionId === undefined ? {} : { sessionId }) };
      await putSealed(deps, confirmationRecord, nameDigest, value, lifetimes.controlConfirmation);
    },
    async isConfirmed(machine, relay, sessionId) {
      const found = await Promise.all(
        names.all(nameOf(machine, relay)).map((each) => getSealed(deps, confirmationRecord, each)),
      );
      // While keys rotate, a relay may still confirm under the digest of another key.
      return found.some(({ value }) => value !== undefined && value.sessionId === sessionId);
    },
  };
}
