import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import { ClassConsole, type MemberConsole } from './class-console.ts';
import { WatchedClass, type WatchedClassDeps } from './watched-class.ts';

const tickMs = 500;
/** How long a change may go unnoticed whose signal was lost, besides a tick. */
const pollMs = 1000;
/** Classes that are polled in one tick, so that a full relay spreads its calls to the store. */
const pollsPerTick = 100;

/** Before the first answer of the store, a console may belong to a class that is paused. */
const unknownReason = 'class unknown';

/**
 * Applies the state of classes to the consoles of their members at this relay. The records in the store are the truth.
 * Signals say when to read them, and polling makes up for lost signals: one call to the store per class and poll while
 * nothing has changed, and none without classes.
 */
export interface ClassWatcher {
  /** From now on, what applies to these classes applies to the console. */
  register(classNames: readonly string[], console: MemberConsole): ClassRegistration;
  /** Handles the signal that a class has changed. */
  onChanged(className: string): void;
  /** Consoles whose input is held back by the pause of a class. */
  pausedConsoles(): number;
  /** Consoles that show what is shown to a class. */
  followingConsoles(): number;
  start(): Cancel;
}

export interface ClassRegistration {
  /** Tells the page again whether the user's hand is raised. */
  tellHelp(): void;
  stop(): void;
}

export function createClassWatcher(deps: WatchedClassDeps & { readonly clock: Clock }): ClassWatcher {
  const { clock } = deps;
  const classes = new Map<string, WatchedClass>();

  function tick(): void {
    let polls = 0;
    for (const watched of classes.values()) {
      watched.followTime();
      if (watched.age < pollMs || polls === pollsPerTick) continue;
      polls += 1;
      void watched.refresh('poll');
    }
  }

  function watch(name: string): WatchedClass {
    const watched = classes.get(name) ?? new WatchedClass(deps, name);
    classes.set(name, watched);
    return watched;
  }

  const count = (isCounted: (console: ClassConsole) => boolean) =>
    new Set([...classes.values()].flatMap(({ consoles }) => [...consoles].filter(isCounted))).size;

  return {
    register(classNames, memberConsole) {
      const console = new ClassConsole(memberConsole, () => clock.now());
      const watched = classNames.map(watch);
      for (const each of watched) each.add(console);
      if (!watched.every(({ isKnown }) => isKnown)) memberConsole.gate.shutFor(unknownReason);
      const read = Promise.all(watched.map((each) => each.refresh('poll')));
      void read.then(() => memberConsole.gate.openFor(unknownReason));
      return {
        tellHelp: () => console.tellHelp(true),
        stop() {
          console.stop();
          for (const each of watched) {
            each.consoles.delete(console);
            if (each.consoles.size === 0 && classes.get(each.name) === each) classes.delete(each.name);
          }
        },
      };
    },
    onChanged: (className) => void classes.get(className)?.refresh('signal'),
    pausedConsoles: () => count(({ paused }) => paused),
    followingConsoles: () => count(({ following }) => following),
    start: () => every(clock, tickMs, tick),
  };
}
