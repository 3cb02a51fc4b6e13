import type { SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';

/** The open sessions of all relays, from the store. */
export interface LiveSessions {
  /** Sessions as of at most `freshMs` ago. Concurrent calls share one read. */
  list(): Promise<readonly SessionRecord[]>;
  /** Sessions as of now. */
  listFresh(): Promise<readonly SessionRecord[]>;
  find(id: string): Promise<SessionRecord | undefined>;
}

/** Relays update records every five seconds, so more frequent reads find nothing new. */
const freshMs = 1000;

export function createLiveSessions(deps: {
  readonly records: Pick<SessionRecords, 'list' | 'find'>;
  readonly clock: Pick<Clock, 'now'>;
}): LiveSessions {
  const { records, clock } = deps;
  let known: readonly SessionRecord[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<readonly SessionRecord[]> | undefined;

  async function read(): Promise<readonly SessionRecord[]> {
    const startedAt = clock.now();
    const found = (await records.list(leaseNames.allSessions)).toSorted(byAge);
    // An earlier read can end later. It must not replace newer sessions.
    if (startedAt >= readAt) {
      known = found;
      readAt = startedAt;
    }
    return found;
  }

  return {
    async list() {
      if (clock.now() - readAt < freshMs) return known;
      pending ??= read().finally(() => (pending = undefined));
      return pending;
    },
    listFresh: read,
    find: (id) => records.find(id),
  };
}

function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.since - b.since || (a.sessionId < b.sessionId ? -1 : 1);
}
