import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer, Problem } from '../api.ts';

export interface Polled<T> {
  /** The newest answer, also while later requests fail. */
  readonly value: T | undefined;
  /** Why the newest request failed. */
  readonly problem: Problem | undefined;
  readonly reload: () => void;
}

export interface Polling<T> {
  readonly intervalMs: number;
  /** Another key drops the value and starts again. */
  readonly key?: string | undefined;
  /** Called at each start. An answer without a value means that nothing has changed. */
  readonly start: () => () => Promise<Answer<T | undefined>>;
  readonly onSignedOut: () => void;
}

/** Repeats a request while the page is visible. `Retry-After` in an answer makes the interval longer. */
export function usePolling<T>({ intervalMs, key, start, onSignedOut }: Polling<T>): Polled<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const reload = useRef<() => void>(() => {});

  useEffect(() => {
    const request = start();
    let stopped = false;
    let pending = false;
    let again = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    async function poll() {
      if (stopped) return;
      // The answer that is on its way may be from before.
      again = pending;
      if (pending) return;
      pending = true;
      clearTimeout(timer);
      const answer = await request();
      pending = false;
      if (stopped) return;
      if (!answer.ok && answer.problem.code === 'not_signed_in') return onSignedOut();
      if (answer.ok && answer.value !== undefined) setValue(answer.value);
      setProblem(answer.ok ? undefined : answer.problem);
      const retryAfter = answer.ok ? 0 : (answer.problem.retryAfter ?? 0);
      const pause = Math.max(again && answer.ok ? 0 : intervalMs, retryAfter * 1000);
      if (document.visibilityState === 'visible') timer = setTimeout(() => void poll(), pause);
    }

    const onVisibilityChange = () => {
      if (document.visibilityState === 'visible') void poll();
    };
    reload.current = () => void poll();
    setValue(undefined);
    document.addEventListener('visibilitychange', onVisibilityChange);
    void poll();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibilityChange);
    };
  }, [key]);

  return { value, problem, reload: () => reload.current() };
}
