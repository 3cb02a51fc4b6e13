import { useRef, useState } from 'preact/hooks';
import type { Machine, PowerAction } from '../../api.ts';
import type { Confirmation } from '../../components/confirm-dialog.tsx';
import { destructiveActions, runPowerAction } from '../../power-actions.ts';
import { powerError, powerConfirmation } from '../../texts.ts';
import { machineKey } from './sort-machines.ts';

/** Switching machines of the list on and off. */
export interface PowerActions {
  /** What is going on, by machine. */
  readonly pending: ReadonlyMap<string, PowerAction>;
  readonly error: string | undefined;
  readonly confirmation: Confirmation | undefined;
  request(machine: Machine, action: PowerAction): void;
  closeConfirmation(): void;
  dismissError(): void;
}

/** Proxmox tells its list of another state some ten seconds after the machine is in it. */
const listTakesSeconds = 12;
const changesStatus: ReadonlySet<PowerAction> = new Set(['start', 'shutdown', 'stop']);

export function usePowerActions(machines: readonly Machine[] | undefined, reload: () => void): PowerActions {
  const [going, setGoing] = useState<ReadonlyMap<string, PowerAction>>(new Map());
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [question, setQuestion] = useState<Confirmation | undefined>(undefined);
  // Several go on at a time, and each must see what the others have written.
  const now = useRef<Map<string, PowerAction>>(new Map());
  const newest = useRef(machines);
  newest.current = machines;

  /** What was done shows in the list before it is no longer said that it is going on. */
  async function untilListed(machine: Machine): Promise<void> {
    const unchanged = () =>
      newest.current?.some(
        (each) => machineKey(each) === machineKey(machine) && each.status === machine.status,
      );
    for (let second = 0; second < listTakesSeconds && unchanged(); second++) {
      reload();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async function run(machine: Machine, action: PowerAction): Promise<void> {
    const key = machineKey(machine);
    if (now.current.has(key)) return;
    now.current.set(key, action);
    setGoing(new Map(now.current));
    setProblem(undefined);
    const failed = await runPowerAction(machine, action);
    if (!failed && changesStatus.has(action)) await untilListed(machine);
    now.current.delete(key);
    setGoing(new Map(now.current));
    if (failed) setProblem(powerError(action, machine.name, failed));
    reload();
  }

  return {
    pending: going,
    error: problem,
    confirmation: question,
    request(machine, action) {
      if (!destructiveActions.has(action)) void run(machine, action);
      else
        setQuestion({
          ...powerConfirmation(action, machine.name),
          onConfirm: () => void run(machine, action),
        });
    },
    closeConfirmation: () => setQuestion(undefined),
    dismissError: () => setProblem(undefined),
  };
}
