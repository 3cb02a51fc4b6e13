import type { MachineType, PowerAction } from '../../api.ts';
import type { Confirmation } from '../../components/confirm-dialog.tsx';
import { destructiveActions, runPowerAction, type PowerTarget } from '../../power-actions.ts';
import { powerError, powerConfirmation } from '../../texts.ts';

/** Switching the machine of this console, as the page shows it. */
export interface MachinePower {
  readonly type: MachineType;
  /** What is going on. */
  readonly pendingAction: PowerAction | undefined;
  readonly error: string | undefined;
  /** What has to be confirmed first. */
  readonly confirmation: Confirmation | undefined;
  request(action: PowerAction): void;
  closeConfirmation(): void;
  dismissError(): void;
}

export function createMachinePower(deps: {
  readonly target: PowerTarget;
  /** Something of it changed. */
  readonly show: () => void;
  /** The machine was started. */
  readonly started: () => void;
}): MachinePower {
  const { target, show } = deps;
  const state: { -readonly [Key in 'pendingAction' | 'error' | 'confirmation']: MachinePower[Key] } = {
    pendingAction: undefined,
    error: undefined,
    confirmation: undefined,
  };

  function change(next: Partial<typeof state>): void {
    Object.assign(state, next);
    show();
  }

  async function run(action: PowerAction): Promise<void> {
    if (state.pendingAction) return;
    change({ pendingAction: action, error: undefined });
    const problem = await runPowerAction(target, action);
    // Whoever was faster has done what was wanted.
    const done = problem === undefined || (action === 'start' && problem.code === 'machine_running');
    change({ pendingAction: undefined, error: done ? undefined : powerError(action, target.name, problem) });
    if (done && action === 'start') deps.started();
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
