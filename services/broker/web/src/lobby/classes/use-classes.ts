import { api } from '../../api.ts';
import type { ClassList } from '../../class-types.ts';
import { usePolling, type Polled } from '../use-polling.ts';

/** The classes of the user. An unchanged list costs a few bytes. */
export function useClasses(onSignedOut: () => void): Polled<ClassList> {
  return usePolling({
    intervalMs: 3000,
    start() {
      let etag: string | undefined;
      return async () => {
        const answer = await api.classes(etag);
        if (!answer.ok) return answer;
        etag = answer.value.etag;
        return { ok: true, value: answer.value.value };
      };
    },
    onSignedOut,
  });
}
