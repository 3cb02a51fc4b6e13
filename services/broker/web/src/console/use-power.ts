import type { MachineType, PowerAction } from '../api.ts';
import type { Question } from '../confirm.tsx';
import { destructive, runPower, type PowerTarget } from '../power.ts';
import { powerProblem, powerQuestion } from '../texts.ts';

/** Switching the machine of this console, as the page shows it. */
export interface Power {
  readonly type: MachineType;
  /** What is going on. */
  readonly going: PowerAction | undefined;
  readonly problem: string | undefined;
  /** What has to be confirmed first. */
  readonly question: Question | undefined;
  ask(action: PowerAction): void;
  answered(): void;
  forget(): void;
}

export function createPower(deps: {
  readonly target: PowerTarget;
  /** Something of it changed. */
  readonly show: () => void;
  /** The machine was started. */
  readonly started: () => void;
}): Power {
  const { target, show } = deps;
  const state: { -readonly [Key in 'going' | 'problem' | 'question']: Power[Key] } = {
    going: undefined,
    problem: undefined,
    question: undefined,
  };

  function change(next: Partial<typeof state>): void {
    Object.assign(state, next);
    show();
  }

  async function run(action: PowerAction): Promise<void> {
    if (state.going) return;
    change({ going: action, problem: undefined });
    const problem = await runPower(target, action);
    // Whoever was faster has done what was wanted.
    const done = problem === undefined || (action === 'start' && problem.code === 'machine_running');
    change({ going: undefined, problem: done ? undefined : powerProblem(action, target.name, problem) });
    if (done && action === 'start') deps.started();
  }

  return {
    type: target.type,
    get going() {
      return state.going;
    },
    get problem() {
      return state.problem;
    },
    get question() {
      return state.question;
    },
    ask(action) {
      if (!destructive.has(action)) void run(action);
      else change({ question: { ...powerQuestion(action, target.name), act: () => void run(action) } });
    },
    answered: () => change({ question: undefined }),
    forget: () => change({ problem: undefined }),
  };
}
