import type { Link } from './link.ts';
import type { Direction } from './pump.ts';

type CountedLinks = Readonly<Record<Direction, Pick<Link, 'framesSent' | 'buffered'>>>;

/** Sums the counters of the links of all open consoles when a metric is read. */
export interface LinkGauges {
  /** Adds the links of an open console. Returns the function that removes them. */
  add(links: CountedLinks): () => void;
  /** Data frames sent so far, including those of ended consoles. */
  frames(direction: Direction): number;
  /** Bytes that are buffered now. */
  buffered(direction: Direction): number;
}

export function createLinkGauges(): LinkGauges {
  const open = new Set<CountedLinks>();
  const ended = { to_viewer: 0, to_machine: 0 };

  function sum(direction: Direction, counter: 'framesSent' | 'buffered'): number {
    let total = 0;
    for (const links of open) total += links[direction][counter];
    return total;
  }

  return {
    add(links) {
      open.add(links);
      return () => {
        if (!open.delete(links)) return;
        ended.to_viewer += links.to_viewer.framesSent;
        ended.to_machine += links.to_machine.framesSent;
      };
    },
    frames: (direction) => ended[direction] + sum(direction, 'framesSent'),
    buffered: (direction) => sum(direction, 'buffered'),
  };
}
