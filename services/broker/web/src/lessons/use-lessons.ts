import { useEffect, useState } from 'preact/hooks';
import { api } from '../api.ts';
import type { ClassDetails } from '../class-types.ts';

/** The next times are known long before, so this only finds out about changes. */
const intervalMs = 60_000;

/** The classes of the user, for their lessons. Asks for nothing while not `enabled`. */
export function useLessons(enabled: boolean): readonly ClassDetails[] | undefined {
  const [classes, setClasses] = useState<readonly ClassDetails[] | undefined>(undefined);
  useEffect(() => {
    if (!enabled) return;
    let etag: string | undefined;
    let stopped = false;
    const poll = async () => {
      const answer = await api.classes(undefined, etag);
      if (stopped || !answer.ok) return;
      etag = answer.value.etag;
      if (answer.value.value) setClasses(answer.value.value.classes);
    };
    void poll();
    const timer = setInterval(() => void poll(), intervalMs);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [enabled]);
  return classes;
}
