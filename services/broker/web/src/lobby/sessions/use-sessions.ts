import { api, type SessionList } from '../../api.ts';
import { usePolling, type Polled } from '../use-polling.ts';

/** The live consoles of a class, or all that the user may see. An unchanged list costs a few bytes. */
export function useSessions(className: string | undefined, onSignedOut: () => void): Polled<SessionList> {
  return usePolling({
    intervalMs: 3000,
    key: className,
    start() {
      let etag: string | undefined;
      return async () => {
        const answer = await api.sessions(className, etag);
        if (!answer.ok) return answer;
        etag = answer.value.etag;
        return { ok: true, value: answer.value.value };
      };
    },
    onSignedOut,
  });
}
