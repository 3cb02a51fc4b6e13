import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type Problem } from '../../api.ts';
import type { Recording, RecordingFilter } from '../../recording-types.ts';

export interface Recordings {
  readonly recordings: readonly Recording[];
  readonly loading: boolean;
  readonly problem: Problem | undefined;
  readonly hasMore: boolean;
  loadMore(): void;
  reload(): void;
}

/** A request searches a bounded number of recordings, so a page can be empty although more follow. */
const maxEmptyPages = 10;

/** The recordings that match, page after page. */
export function useRecordings(filter: RecordingFilter, onSignedOut: () => void): Recordings {
  const [recordings, setRecordings] = useState<readonly Recording[]>([]);
  const [next, setNext] = useState<string | undefined>(undefined);
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  /** Answers to an earlier search count no more. */
  const search = useRef(0);
  const key = JSON.stringify(filter);

  async function load(known: readonly Recording[], from: string | undefined) {
    const mine = ++search.current;
    setLoading(true);
    setProblem(undefined);
    let cursor = from;
    let found = known;
    for (let page = 0; page < maxEmptyPages; page++) {
      const answer = await api.recordings(filter, cursor);
      if (mine !== search.current) return;
      if (!answer.ok) {
        if (answer.problem.code === 'not_signed_in') return onSignedOut();
        setProblem(answer.problem);
        break;
      }
      found = [...found, ...answer.value.recordings];
      cursor = answer.value.next;
      setRecordings(found);
      setNext(cursor);
      if (cursor === undefined || found.length > known.length) break;
    }
    setLoading(false);
  }

  function reload() {
    setRecordings([]);
    setNext(undefined);
    void load([], undefined);
  }
  useEffect(() => {
    reload();
    return () => void search.current++;
  }, [key]);

  return {
    recordings,
    loading,
    problem,
    hasMore: next !== undefined,
    loadMore: () => void load(recordings, next),
    reload,
  };
}
