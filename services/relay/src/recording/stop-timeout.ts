import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';

/** For the thread and the connections of the storage to end. */
const closeMs = 5000;

/** How long the recordings of a relay may take to stop. */
export const stopTimeoutOf = ({ spool }: Pick<RecordingsConfig, 'spool'>): number =>
  spool.drainSeconds * 1000 + closeMs;
