import { api } from '../../api.ts';
import type { ClassList } from '../../class-types.ts';
import { usePolling, type Polled } from '../use-polling.ts';

/** One class of the user, or all of them. An unchanged answer costs a few bytes. */
export function useClasses(name: string | undefined, onSignedOut: () => void): Polled<ClassList> {
  return usePolling({
    intervalMs: 3000,
    key: name,
    start() {
      let etag: string | undefined;
      return async () => {
        const answer = await api.classes(name, etag);
        if (!answer.ok) return answer;
        etag = answer.value.etag;
        return { ok: true, value: answer.value.value };
      };
    },
    onSignedOut,
  });
}
