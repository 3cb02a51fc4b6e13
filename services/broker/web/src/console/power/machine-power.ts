import type { MachineType, PowerAction } from '../../api.ts';
import type { Confirmation } from '../../components/confirm-dialog.tsx';
import { destructiveActions, runPowerAction, type PowerTarget } from '../../power-actions.ts';
import { powerError, powerConfirmation } from '../../texts/power.ts';

/** The power actions of this console's machine, and their progress. */
export interface MachinePower {
  readonly type: MachineType;
  readonly pendingAction: PowerAction | undefined;
  readonly error: string | undefined;
  /** The confirmation that an action waits for. */
  readonly confirmation: Confirmation | undefined;
  request(action: PowerAction): void;
  closeConfirmation(): void;
  dismissError(): void;
}

export function createMachinePower(deps: {
  readonly target: PowerTarget;
  /** Called after each change. */
  readonly onChange: () => void;
  readonly onStarted: () => void;
}): MachinePower {
  const { target, onChange } = deps;
  const state: { -readonly [Key in 'pendingAction' | 'error' | 'confirmation']: MachinePower[Key] } = {
    pendingAction: undefined,
    error: undefined,
    confirmation: undefined,
  };

  function change(next: Partial<typeof state>): void {
    Object.assign(state, next);
    onChange();
  }

  async function run(action: PowerAction): Promise<void> {
    if (state.pendingAction) return;
    change({ pendingAction: action, error: undefined });
    const problem = await runPowerAction(target, action);
    // Another user started the machine first.
    const done = problem === undefined || (action === 'start' && problem.code === 'machine_running');
    change({ pendingAction: undefined, error: done ? undefined : powerError(action, target.name, problem) });
    if (done && action === 'start') deps.onStarted();
  }

  return {
    type: target.type,
    get pendingAction() {
      return state.pendingAction;
    },
    get error() {
      return state.error;
    },
    get confirmation() {
      return state.confirmation;
    },
    request(action) {
      if (!destructiveActions.has(action)) void run(action);
      else
        change({
          confirmation: { ...powerConfirmation(action, target.name), onConfirm: () => void run(action) },
        });
    },
    closeConfirmation: () => change({ confirmation: undefined }),
    dismissError: () => change({ error: undefined }),
  };
}
