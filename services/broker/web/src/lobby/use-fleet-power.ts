import { useRef, useState } from 'preact/hooks';
import type { Machine, PowerAction } from '../api.ts';
import type { Question } from '../confirm.tsx';
import { destructive, runPower } from '../power.ts';
import { powerProblem, powerQuestion } from '../texts.ts';
import { keyOf } from './arrange.ts';

/** Switching machines of the list on and off. */
export interface FleetPower {
  /** What is going on, by machine. */
  readonly going: ReadonlyMap<string, PowerAction>;
  readonly problem: string | undefined;
  readonly question: Question | undefined;
  ask(machine: Machine, action: PowerAction): void;
  answered(): void;
  forget(): void;
}

/** Proxmox tells its list of another state some ten seconds after the machine is in it. */
const listTakesSeconds = 12;
const changesStatus: ReadonlySet<PowerAction> = new Set(['start', 'shutdown', 'stop']);

export function useFleetPower(machines: readonly Machine[] | undefined, reload: () => void): FleetPower {
  const [going, setGoing] = useState<ReadonlyMap<string, PowerAction>>(new Map());
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [question, setQuestion] = useState<Question | undefined>(undefined);
  // Several go on at a time, and each must see what the others have written.
  const now = useRef<Map<string, PowerAction>>(new Map());
  const newest = useRef(machines);
  newest.current = machines;

  /** What was done shows in the list before it is no longer said that it is going on. */
  async function untilListed(machine: Machine): Promise<void> {
    const unchanged = () =>
      newest.current?.some((each) => keyOf(each) === keyOf(machine) && each.status === machine.status);
    for (let second = 0; second < listTakesSeconds && unchanged(); second++) {
      reload();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async function run(machine: Machine, action: PowerAction): Promise<void> {
    const key = keyOf(machine);
    if (now.current.has(key)) return;
    now.current.set(key, action);
    setGoing(new Map(now.current));
    setProblem(undefined);
    const failed = await runPower(machine, action);
    if (!failed && changesStatus.has(action)) await untilListed(machine);
    now.current.delete(key);
    setGoing(new Map(now.current));
    if (failed) setProblem(powerProblem(action, machine.name, failed));
    reload();
  }

  return {
    going,
    problem,
    question,
    ask(machine, action) {
      if (!destructive.has(action)) void run(machine, action);
      else setQuestion({ ...powerQuestion(action, machine.name), act: () => void run(machine, action) });
    },
    answered: () => setQuestion(undefined),
    forget: () => setProblem(undefined),
  };
}
