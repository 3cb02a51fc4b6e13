import type { ClassStates } from '@porthole/shared/class/class-states';
import type { ClassRecord } from '@porthole/shared/class/class-record';
import type { ClassEnding } from '@porthole/shared/class/endings';
import type { RaisedHand } from '@porthole/shared/class/help-queue';
import { showingAt, type ClassShowing } from '@porthole/shared/class/showings';
import type { ClassPause } from '@porthole/shared/class/pauses';
import type { ClassStart } from '@porthole/shared/class/starts';
import type { Clock } from '@porthole/shared/time/clock';

/** What is going on in a class, as of a moment ago. */
export interface ClassSnapshot {
  readonly paused: ClassPause | undefined;
  readonly ending: ClassEnding | undefined;
  readonly showing: ClassShowing | undefined;
  readonly starting: ClassStart | undefined;
  readonly hands: readonly RaisedHand[];
}

/** Reads snapshots for pages. All pages of one class share a read for `freshMs`, unless the class has changed. */
export interface ClassSnapshots {
  read(className: string): Promise<ClassSnapshot>;
  /** The next read must see what was just written. */
  forget(className: string): void;
}

interface KnownSnapshot {
  /** When it was read, because what expires has no new revision. */
  readonly at: number;
  readonly revision: string | undefined;
  readonly snapshot: Promise<ClassSnapshot>;
}

const freshMs = 1000;
/** Classes that are remembered. */
const maxKnown = 1000;

export function createClassSnapshots(deps: {
  readonly states: Pick<ClassStates, 'revision' | 'pauses' | 'endings' | 'showings' | 'help'>;
  readonly starts: Pick<ClassRecord<ClassStart>, 'read'>;
  readonly clock: Pick<Clock, 'now'>;
}): ClassSnapshots {
  const { states, starts, clock } = deps;
  const known = new Map<string, KnownSnapshot>();

  async function readNow(className: string): Promise<ClassSnapshot> {
    const [paused, ending, showing, starting, hands] = await Promise.all([
      states.pauses.read(className),
      states.endings.read(className),
      states.showings.read(className),
      starts.read(className),
      states.help.list(className),
    ]);
    const now = clock.now();
    return {
      paused: paused && paused.until > now ? paused : undefined,
      ending: ending && ending.at > now ? ending : undefined,
      showing: showingAt({ showing, ending }, now),
      starting,
      hands,
    };
  }

  return {
    async read(className) {
      const revision = await states.revision(className);
      const cached = known.get(className);
      if (cached && cached.revision === revision && clock.now() - cached.at < freshMs) return cached.snapshot;
      const snapshot = readNow(className);
      const entry = { at: clock.now(), revision, snapshot };
      if (known.size >= maxKnown) known.clear();
      known.set(className, entry);
      // A failure is not remembered.
      snapshot.catch(() => known.get(className) === entry && known.delete(className));
      return snapshot;
    },
    forget: (className) => void known.delete(className),
  };
}
