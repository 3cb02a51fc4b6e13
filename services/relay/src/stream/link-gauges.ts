import type { Link } from './link.ts';
import type { Direction } from './pump.ts';

/** What the links of all open consoles count by themselves, added up when somebody wants to know. */
export interface Traffic {
  /** A console is open. To be called when it no longer is. */
  add(links: Readonly<Record<Direction, Counting>>): () => void;
  /** Data frames sent so far, of consoles that are over, too. */
  frames(direction: Direction): number;
  /** Bytes that wait now. */
  buffered(direction: Direction): number;
}

type Counting = Pick<Link, 'framesSent' | 'buffered'>;

export function createTraffic(): Traffic {
  const live = new Set<Readonly<Record<Direction, Counting>>>();
  const over = { to_viewer: 0, to_machine: 0 };

  function sum(direction: Direction, what: keyof Counting): number {
    let all = 0;
    for (const links of live) all += links[direction][what];
    return all;
  }

  return {
    add(links) {
      live.add(links);
      return () => {
        if (!live.delete(links)) return;
        over.to_viewer += links.to_viewer.framesSent;
        over.to_machine += links.to_machine.framesSent;
      };
    },
    frames: (direction) => over[direction] + sum(direction, 'framesSent'),
    buffered: (direction) => sum(direction, 'buffered'),
  };
}
