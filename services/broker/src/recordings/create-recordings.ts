import { randomId } from '@porthole/shared/crypto/random';
import type { RecordingsConfig } from '@porthole/shared/config/recordings-schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { ListRecordingsDeps } from './list-recordings.ts';
import { createRecentRecordings } from './recent-recordings.ts';
import { createRecordingSource } from './recording-source.ts';
import { createRetention, type RetentionDeps } from './retention.ts';
import { createWatchedRecordings } from './watched-recordings.ts';

/** Composes the routes of recordings and their retention. The caller runs the components. */
export function createRecordings(
  config: RecordingsConfig,
  deps: Omit<ListRecordingsDeps, 'source' | 'watched' | 'recent'> &
    Pick<RetentionDeps, 'leases' | 'log' | 'metrics'>,
): { readonly routes: ListRecordingsDeps; readonly components: readonly LifecycleComponent[] } {
  const source = createRecordingSource(config, deps);
  const brokerId = randomId(deps.random, 12);
  return {
    routes: {
      ...deps,
      source,
      watched: createWatchedRecordings(deps.clock),
      recent: createRecentRecordings(deps.clock),
    },
    components: [source.component, createRetention({ ...deps, source, brokerId })],
  };
}
