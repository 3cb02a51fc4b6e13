import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type Problem, type SessionList } from '../../api.ts';

export interface Sessions {
  /** The newest list that came, also while newer ones fail to come. */
  readonly list: SessionList | undefined;
  readonly problem: Problem | undefined;
  readonly reload: () => void;
}

const every = 3000;

/**
 * The live consoles of a class, or all that somebody may know of, asked for again and again while somebody looks. A
 * list that is as it was costs a few bytes.
 */
export function useSessions(className: string | undefined, signedOut: () => void): Sessions {
  const [list, setList] = useState<SessionList | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const reload = useRef<() => void>(() => {});

  useEffect(() => {
    let over = false;
    let asking = false;
    let etag: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function ask() {
      if (asking || over) return;
      asking = true;
      clearTimeout(timer);
      const answer = await api.sessions(className, etag);
      asking = false;
      if (over) return;
      if (answer.ok) {
        etag = answer.value.etag;
        if (answer.value.value) setList(answer.value.value);
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
    setList(undefined);
    document.addEventListener('visibilitychange', looked);
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', looked);
    };
  }, [className]);

  return { list, problem, reload: () => reload.current() };
}
