import type { Clock } from '@porthole/shared/time/clock';
import type { StoredRecording } from './stored-recording.ts';

/** Whose console a recording shows, from a moment ago, because a player reads many chunks in a row. */
export interface RecentRecordings {
  read(id: string, fresh: () => Promise<StoredRecording | undefined>): Promise<StoredRecording | undefined>;
}

const freshMs = 30_000;
const maxEntries = 200;

export function createRecentRecordings({ now }: Pick<Clock, 'now'>): RecentRecordings {
  const known = new Map<string, { readonly recording: StoredRecording; readonly until: number }>();
  return {
    async read(id, fresh) {
      const found = known.get(id);
      if (found && now() < found.until) return found.recording;
      const recording = await fresh();
      known.delete(id);
      if (!recording) return undefined;
      known.set(id, { recording, until: now() + freshMs });
      const [oldest] = known.keys();
      if (known.size > maxEntries && oldest !== undefined) known.delete(oldest);
      return recording;
    },
  };
}
