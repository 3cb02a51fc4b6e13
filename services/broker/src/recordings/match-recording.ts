import type { PartFacts } from '@porthole/shared/recording/index/part-facts';

export interface RecordingFilter {
  /** Part of the id or the name of the user. */
  readonly user?: string | undefined;
  /** cluster/number, a number, or part of the name of the machine. */
  readonly machine?: string | undefined;
  readonly class?: string | undefined;
}

/** Whether a recording is one that a user looks for. Without facts, only if they look for all. */
export function matchesFilter(facts: PartFacts | undefined, filter: RecordingFilter): boolean {
  const { user, machine, class: className } = filter;
  if (!facts) return user === undefined && machine === undefined && className === undefined;
  return (
    (className === undefined || facts.class === className) &&
    (user === undefined || contains([facts.user, facts.displayName], user)) &&
    (machine === undefined || matchesMachine(facts.machine, machine))
  );
}

function matchesMachine({ cluster, vmid, name }: PartFacts['machine'], wanted: string): boolean {
  return wanted === `${cluster}/${vmid}` || wanted === String(vmid) || contains([name], wanted);
}

function contains(texts: readonly (string | undefined)[], wanted: string): boolean {
  return texts.some((one) => one?.toLowerCase().includes(wanted.toLowerCase()));
}
