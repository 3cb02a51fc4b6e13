import type { Clock } from '@porthole/shared/time/clock';

/** Consoles that end within this time of each other ended together. */
const togetherMs = 1000;

interface End {
  readonly cluster: string;
  readonly node: string;
  readonly openedAt: number;
  readonly endedAt: number;
}

/** Consoles that Proxmox closed a moment ago: a pveproxy worker that dies ends all of its consoles at once. */
export interface RecentEnds {
  /**
   * Records the end of a console that was opened at this time, in milliseconds since the epoch. Returns whether another
   * console of the same node, open at the same time, ended together with it.
   */
  record(cluster: string, node: string, openedAt: number): () => boolean;
}

export function createRecentEnds(clock: Clock): RecentEnds {
  let ends: End[] = [];
  return {
    record(cluster, node, openedAt) {
      const own: End = { cluster, node, openedAt, endedAt: clock.now() };
      // Twice the time, because an end is compared with earlier and with later ones.
      ends = ends.filter(({ endedAt }) => own.endedAt - endedAt <= 2 * togetherMs);
      ends.push(own);
      return () => ends.some((end) => end !== own && endedTogether(end, own));
    },
  };
}

function endedTogether(one: End, other: End): boolean {
  return (
    one.cluster === other.cluster &&
    one.node === other.node &&
    Math.abs(one.endedAt - other.endedAt) <= togetherMs &&
    one.openedAt < other.endedAt &&
    other.openedAt < one.endedAt
  );
}
