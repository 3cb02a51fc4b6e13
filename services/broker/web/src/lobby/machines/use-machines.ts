import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type MachineList, type Problem } from '../../api.ts';
import { announceChanges } from '../../texts.ts';
import { statusChanges } from './sort-machines.ts';

export interface Machines {
  /** The newest list that came, also while newer ones fail to come. */
  readonly list: MachineList | undefined;
  readonly problem: Problem | undefined;
  /** For screen readers. */
  readonly news: string;
  readonly reload: () => void;
}

const every = 4000;

/** The list, asked for again and again while somebody looks at it. */
export function useMachines(signedOut: () => void): Machines {
  const [list, setList] = useState<MachineList | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [news, setNews] = useState('');
  const newest = useRef<MachineList | undefined>(undefined);
  const reload = useRef<() => void>(() => {});

  useEffect(() => {
    let over = false;
    let asking = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function ask() {
      if (asking || over) return;
      asking = true;
      clearTimeout(timer);
      const answer = await api.machines();
      asking = false;
      if (over) return;
      if (answer.ok) {
        const changes = statusChanges(newest.current?.consoles ?? [], answer.value.consoles);
        if (changes.length > 0) setNews(announceChanges(changes));
        newest.current = answer.value;
        setList(answer.value);
        setProblem(undefined);
      } else if (answer.problem.code === 'not_signed_in') {
        return signedOut();
      } else setProblem(answer.problem);
      const pause = answer.ok ? every : Math.max(every, (answer.problem.retryAfter ?? 0) * 1000);
      if (document.visibilityState === 'visible') timer = setTimeout(() => void ask(), pause);
    }

    const looked = () => {
      if (document.visibilityState === 'visible') void ask();
    };
    reload.current = () => void ask();
    document.addEventListener('visibilitychange', looked);
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', looked);
    };
  }, []);

  return { list, problem, news, reload: () => reload.current() };
}
