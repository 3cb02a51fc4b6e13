import type { Clock } from '@porthole/shared/time/clock';

/** Who has watched what in the last hour, so that the audit log has one event for it instead of one per chunk. */
export interface WatchedRecordings {
  /** Whether this is the first time in an hour. */
  note(userId: string, recording: string): boolean;
}

const hourMs = 3_600_000;
/** Beyond this, the oldest are forgotten and reported again. */
const maxEntries = 10_000;

export function createWatchedRecordings({ now }: Pick<Clock, 'now'>): WatchedRecordings {
  const notedAt = new Map<string, number>();
  return {
    note(userId, recording) {
      const key = `${recording}/${userId}`;
      const before = notedAt.get(key);
      if (before !== undefined && now() - before < hourMs) return false;
      notedAt.delete(key);
      notedAt.set(key, now());
      const [oldest] = notedAt.keys();
      if (notedAt.size > maxEntries && oldest !== undefined) notedAt.delete(oldest);
      return true;
    },
  };
}
