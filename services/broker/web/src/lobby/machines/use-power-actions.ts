import { useRef, useState } from 'preact/hooks';
import type { Machine, PowerAction } from '../../api.ts';
import type { Confirmation } from '../../components/confirm-dialog.tsx';
import { destructiveActions, runPowerAction } from '../../power-actions.ts';
import { powerConfirmation, powerError } from '../../texts/power.ts';
import { machineKey } from './sort-machines.ts';

/** The power actions of all machines in the list, and their progress. */
export interface PowerActions {
  /** By `machineKey`. */
  readonly pending: ReadonlyMap<string, PowerAction>;
  readonly error: string | undefined;
  /** The confirmation that an action waits for. */
  readonly confirmation: Confirmation | undefined;
  request(machine: Machine, action: PowerAction): void;
  closeConfirmation(): void;
  dismissError(): void;
}

/** Proxmox lists a new status about ten seconds late. */
const maxListDelaySeconds = 12;
const changesStatus: ReadonlySet<PowerAction> = new Set(['start', 'shutdown', 'stop']);

export function usePowerActions(machines: readonly Machine[] | undefined, reload: () => void): PowerActions {
  const [pending, setPending] = useState<ReadonlyMap<string, PowerAction>>(new Map());
  const [error, setError] = useState<string | undefined>(undefined);
  const [confirmation, setConfirmation] = useState<Confirmation | undefined>(undefined);
  // Actions run at the same time, and each must see the others' changes.
  const running = useRef<Map<string, PowerAction>>(new Map());
  const newest = useRef(machines);
  newest.current = machines;

  /** Waits until the list shows the new status, so that the row does not show the old one in between. */
  async function untilListed(machine: Machine): Promise<void> {
    const unchanged = () =>
      newest.current?.some(
        (each) => machineKey(each) === machineKey(machine) && each.status === machine.status,
      );
    for (let second = 0; second < maxListDelaySeconds && unchanged(); second++) {
      reload();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async function run(machine: Machine, action: PowerAction): Promise<void> {
    const key = machineKey(machine);
    if (running.current.has(key)) return;
    running.current.set(key, action);
    setPending(new Map(running.current));
    setError(undefined);
    const problem = await runPowerAction(machine, action);
    if (!problem && changesStatus.has(action)) await untilListed(machine);
    running.current.delete(key);
    setPending(new Map(running.current));
    if (problem) setError(powerError(action, machine.name, problem));
    reload();
  }

  return {
    pending,
    error,
    confirmation,
    request(machine, action) {
      if (!destructiveActions.has(action)) void run(machine, action);
      else
        setConfirmation({
          ...powerConfirmation(action, machine.name),
          onConfirm: () => void run(machine, action),
        });
    },
    closeConfirmation: () => setConfirmation(undefined),
    dismissError: () => setError(undefined),
  };
}
