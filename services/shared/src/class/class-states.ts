import { randomId } from '../crypto/random.ts';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import type { ConsoleSignals } from '../session/signals.ts';
import { lifetimes, storeKeys } from '../store/keys.ts';
import type { LeaseStore } from '../store/ports.ts';
import type { ClassRecord, ClassRecordDeps } from './class-record.ts';
import { createClassEndings, type ClassEnding } from './endings.ts';
import { createHelpQueue, type HandRef, type HelpQueue } from './help-queue.ts';
import { createClassMessages, type ClassMessage, type ClassMessages } from './messages.ts';
import { createClassShowings, type ClassShowing } from './showings.ts';
import { createClassPauses, type ClassPause } from './pauses.ts';

/** All that consoles of a class have to know. Records that are over can still be in it. */
export interface ClassState {
  readonly paused: ClassPause | undefined;
  readonly ending: ClassEnding | undefined;
  readonly showing: ClassShowing | undefined;
  readonly messages: readonly ClassMessage[];
  readonly hands: readonly HandRef[];
}

/**
 * What instructors have set for their classes, for all relays. Writers call `announce` after each change. Relays that
 * missed the signal poll the revision, which is one call to the store, and read the rest only when it has changed.
 */
export interface ClassStates {
  readonly pauses: ClassRecord<ClassPause>;
  readonly endings: ClassRecord<ClassEnding>;
  readonly showings: ClassRecord<ClassShowing>;
  readonly messages: ClassMessages;
  readonly help: HelpQueue;
  /** Tells all relays that the state of this class has changed. */
  announce(className: string): Promise<void>;
  /** Changes with each change of the state. */
  revision(className: string): Promise<string | undefined>;
  read(className: string): Promise<ClassState>;
}

export function createClassStates(
  deps: ClassRecordDeps & {
    readonly leases: Pick<LeaseStore, 'tryAcquire' | 'release' | 'list'>;
    readonly signals: Pick<ConsoleSignals, 'publish'>;
  },
): ClassStates {
  const { records, random, signals } = deps;
  const names = createKeyedDigests(deps.keys);
  const pauses = createClassPauses(deps);
  const endings = createClassEndings(deps);
  const showings = createClassShowings(deps);
  const messages = createClassMessages(deps);
  const help = createHelpQueue(deps);
  const revisionName = (className: string) => `class/revision/${className}`;
  return {
    pauses,
    endings,
    showings,
    messages,
    help,
    async announce(className) {
      // The store first: a relay that reads after the signal must find the new revision.
      const key = storeKeys.classRecord(names.of(revisionName(className)));
      await records.put(key, randomId(random), lifetimes.classRevision);
      // If the signal is lost, relays find out by polling.
      await signals.publish({ type: 'class', name: className }).catch(() => {});
    },
    async revision(className) {
      // While keys rotate, another pod may write under another key.
      const keys = names.all(revisionName(className)).map(storeKeys.classRecord);
      const found = await Promise.all(keys.map((key) => records.get(key)));
      return found.some((each) => each !== undefined) ? found.join(' ') : undefined;
    },
    async read(className) {
      const [paused, ending, showing, sent, hands] = await Promise.all([
        pauses.read(className),
        endings.read(className),
        showings.read(className),
        messages.read(className),
        help.order(className),
      ]);
      return { paused, ending, showing, messages: sent, hands };
    },
  };
}
