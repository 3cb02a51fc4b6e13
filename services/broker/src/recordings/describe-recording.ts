import type { PartFacts } from '@porthole/shared/recording/index/part-facts';
import type { StoredRecording } from './stored-recording.ts';

/**
 * `complete`: all parts are there, and the last one has an end. `running`: the console is open. `unfinished`: the relay
 * was killed before it wrote the end. `damaged`: something is missing or was altered.
 */
export type RecordingState = 'complete' | 'running' | 'unfinished' | 'damaged';

export function stateOf(
  { problems, ended, facts }: StoredRecording,
  isLive: (session: string) => boolean,
): RecordingState {
  if (problems.length > 0) return 'damaged';
  if (ended) return 'complete';
  return facts && isLive(facts.session) ? 'running' : 'unfinished';
}

/** A recording in a list, as JSON. */
export function describeRecording(recording: StoredRecording, isLive: (session: string) => boolean) {
  const { id, facts, startedAt, durationMs, bytes, held } = recording;
  return {
    id,
    ...(facts ? describeFacts(facts) : {}),
    startedAt: new Date(startedAt).toISOString(),
    durationSeconds: Math.round(durationMs / 1000),
    bytes,
    state: stateOf(recording, isLive),
    held,
  };
}

function describeFacts({ user, displayName, machine, kind, mode, class: className, rule }: PartFacts) {
  const { cluster, node, vmid, name, type } = machine;
  return {
    user: { id: user, ...(displayName === undefined ? {} : { displayName }) },
    machine: {
      cluster,
      node,
      type,
      ...(vmid === undefined ? {} : { vmid }),
      ...(name === undefined ? {} : { name }),
    },
    kind,
    mode,
    ...(className === undefined ? {} : { class: className }),
    ...(rule === undefined ? {} : { rule }),
  };
}
