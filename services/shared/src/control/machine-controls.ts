import { z } from 'zod';
import { shownName } from '../class/texts.ts';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import { randomId, type RandomBytes } from '../crypto/random.ts';
import type { SealKeys } from '../crypto/seal.ts';
import type { ConsoleSignals } from '../session/signals.ts';
import { lifetimes, storeKeys } from '../store/keys.ts';
import type { RecordStore } from '../store/ports.ts';
import {
  byDigest,
  deleteSealed,
  getSealed,
  putSealed,
  removeSealed,
  replaceSealed,
  type SealedRecordType,
} from '../store/sealed-records.ts';

/** A user has taken control of a machine: no input of other users reaches it. */
const machineControl = z.object({
  version: z.literal(1),
  userId: z.string().min(1).max(256),
  /** The user's session that has taken control. Control ends with it. */
  sessionId: z.string().min(1).max(64),
  /** The user, if the configuration allows to name operators. */
  by: shownName.optional(),
});
export type MachineControl = z.infer<typeof machineControl>;

const controlRecord = {
  purpose: 'porthole machine control v1',
  schema: machineControl,
  locate: byDigest(storeKeys.machineControl),
} satisfies SealedRecordType<string, MachineControl>;

export interface ControlledMachine {
  readonly cluster: string;
  readonly vmid: number;
}

/** Of whom control is taken away: of this user, or of this session. */
export type ControlHolder = Pick<MachineControl, 'userId'> | Pick<MachineControl, 'sessionId'>;

/**
 * Who has control of which machine, for all relays. The record expires soon after the relay that carries the holder's
 * session has stopped to renew it. Rejects with `store_unavailable` like every call to the store.
 */
export interface MachineControls {
  read(machine: ControlledMachine): Promise<MachineControl | undefined>;
  /** Gives control to a session, whichever session had it. */
  take(machine: ControlledMachine, control: MachineControl): Promise<void>;
  /** Answers false, and changes nothing, if this holder does not have control. */
  release(machine: ControlledMachine, holder: ControlHolder): Promise<boolean>;
  /** Extends the life of the record, if this session still has control. */
  renew(machine: ControlledMachine, sessionId: string): Promise<void>;
  /** Changes whenever control of a machine is taken or released, but not when a record expires. */
  revision(): Promise<string | undefined>;
}

export function createMachineControls(deps: {
  readonly records: Pick<RecordStore, 'get' | 'put' | 'replace' | 'remove' | 'delete'>;
  readonly signals: Pick<ConsoleSignals, 'publish'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
}): MachineControls {
  const { records, random, signals } = deps;
  const names = createKeyedDigests(deps.keys);
  const nameOf = ({ cluster, vmid }: ControlledMachine) => `control/${cluster}/${vmid}`;

  /** While keys rotate, the record may be stored under the digest of another key. */
  async function find(machine: ControlledMachine) {
    for (const nameDigest of names.all(nameOf(machine))) {
      // The first digest is nearly always the right one.
      // oxlint-disable-next-line no-await-in-loop
      const opened = await getSealed(deps, controlRecord, nameDigest);
      if (opened.problem === undefined) return { nameDigest, value: opened.value, sealed: opened.sealed };
    }
    return undefined;
  }

  async function announce({ cluster, vmid }: ControlledMachine): Promise<void> {
    // The store first: a relay that reads after the signal must find the new revision.
    await records.put(storeKeys.controlRevision, randomId(random), lifetimes.controlRevision);
    // If the signal is lost, relays find out by polling.
    await signals.publish({ type: 'control', cluster, vmid }).catch(() => {});
  }

  return {
    read: async (machine) => (await find(machine))?.value,
    async take(machine, control) {
      const [first, ...older] = names.all(nameOf(machine));
      await putSealed(deps, controlRecord, first, control, lifetimes.machineControl);
      await Promise.all(older.map((nameDigest) => deleteSealed(records, controlRecord, nameDigest)));
      await announce(machine);
    },
    async release(machine, holder) {
      const found = await find(machine);
      if (!found || !isHeldBy(found.value, holder)) return false;
      if (!(await removeSealed(records, controlRecord, found.nameDigest, found.sealed))) {
        // It was renewed or taken meanwhile.
        const again = await find(machine);
        if (!again || !isHeldBy(again.value, holder)) return false;
        if (!(await removeSealed(records, controlRecord, again.nameDigest, again.sealed))) return false;
      }
      await announce(machine);
      return true;
    },
    async renew(machine, sessionId) {
      const found = await find(machine);
      if (found?.value.sessionId !== sessionId) return;
      // A session that took control meanwhile keeps it.
      await replaceSealed(
        deps,
        controlRecord,
        found.nameDigest,
        found.sealed,
        found.value,
        lifetimes.machineControl,
      );
    },
    revision: () => records.get(storeKeys.controlRevision),
  };
}

function isHeldBy(control: MachineControl, holder: ControlHolder): boolean {
  return 'userId' in holder ? control.userId === holder.userId : control.sessionId === holder.sessionId;
}
