import type { Clock } from '@porthole/shared/time/clock';
import type { SessionRecord, SessionRecords } from '@porthole/shared/session/records';
import { leaseNames } from '@porthole/shared/store/keys';

/** Every console that is open, wherever it is carried, read from the store once for everybody who looks. */
export interface LiveSessions {
  list(): Promise<readonly SessionRecord[]>;
  /** The same, asked for now. */
  listFresh(): Promise<readonly SessionRecord[]>;
  find(id: string): Promise<SessionRecord | undefined>;
}

/** A relay writes a record every five seconds; looking much more often shows nothing new. */
const freshMs = 1000;

export function createLiveSessions(deps: {
  readonly records: Pick<SessionRecords, 'list' | 'find'>;
  readonly clock: Pick<Clock, 'now'>;
}): LiveSessions {
  const { records, clock } = deps;
  let known: readonly SessionRecord[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | undefined;

  async function read(): Promise<void> {
    const askedAt = clock.now();
    known = (await records.list(leaseNames.allSessions)).toSorted(byAge);
    readAt = askedAt;
  }

  return {
    async list() {
      if (clock.now() - readAt >= freshMs) {
        pending ??= read().finally(() => (pending = undefined));
        await pending;
      }
      return known;
    },
    async listFresh() {
      await read();
      return known;
    },
    find: (id) => records.find(id),
  };
}

function byAge(a: SessionRecord, b: SessionRecord): number {
  return a.since - b.since || (a.sessionId < b.sessionId ? -1 : 1);
}
