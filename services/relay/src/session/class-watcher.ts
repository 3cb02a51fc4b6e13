import type { ClassState, ClassStates } from '@porthole/shared/class/class-states';
import { lifetimes } from '@porthole/shared/store/keys';
import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';
import type { RelayMetrics } from '../metrics.ts';
import { ClassConsole, type MemberConsole } from './class-console.ts';

const tickMs = 500;
/** How long a change may go unnoticed whose signal was lost, besides a tick. */
const pollMs = 1500;
/** Classes that are polled in one tick, so that a full relay spreads its calls to the store. */
const pollsPerTick = 100;
/** How often the places of raised hands are renewed. */
const renewMs = lifetimes.helpPlace / 3;

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
  start(): Cancel;
}

export interface ClassRegistration {
  /** Tells the page again whether the user's hand is raised. */
  tellHelp(): void;
  stop(): void;
}

interface WatchedClass {
  readonly name: string;
  readonly consoles: Set<ClassConsole>;
  state: ClassState | undefined;
  revision: string | undefined;
  polledAt: number;
  renewedAt: number;
  reading: Promise<void> | undefined;
  readAgain: boolean;
}

export function createClassWatcher(deps: {
  readonly states: Pick<ClassStates, 'revision' | 'read' | 'help'>;
  readonly clock: Clock;
  readonly metrics: Pick<RelayMetrics, 'classChanged'>;
}): ClassWatcher {
  const { states, clock, metrics } = deps;
  const { help } = states;
  const classes = new Map<string, WatchedClass>();

  async function readIfChanged(watched: WatchedClass, foundBy: 'signal' | 'poll'): Promise<void> {
    watched.polledAt = clock.now();
    const revision = await states.revision(watched.name);
    if (watched.state && revision === watched.revision) return;
    const isChange = watched.state !== undefined;
    watched.state = await states.read(watched.name);
    // A change that came between the two calls has another revision, so it is found by the next poll.
    watched.revision = revision;
    if (isChange) metrics.classChanged(foundBy);
    for (const console of watched.consoles) apply(watched, console);
  }

  function apply({ name, state }: WatchedClass, console: ClassConsole): void {
    if (!state) return;
    console.apply(name, state, help.positionIn(state.hands, name, console.console.claims.user.id));
  }

  /** One read at a time. Never rejects: while the store is unavailable, what was known goes on. */
  function refresh(watched: WatchedClass, foundBy: 'signal' | 'poll'): Promise<void> {
    if (watched.reading) {
      watched.readAgain = true;
      return watched.reading;
    }
    const read = async () => {
      do {
        watched.readAgain = false;
        // Each read must see what the one before has missed.
        // oxlint-disable-next-line no-await-in-loop
        await readIfChanged(watched, foundBy).catch(() => {});
      } while (watched.readAgain);
      watched.reading = undefined;
    };
    return (watched.reading = read());
  }

  /** Places that are not renewed expire without a new revision, so the state is read again. */
  async function renewHands(watched: WatchedClass): Promise<void> {
    watched.renewedAt = clock.now();
    if (!watched.state || watched.state.hands.length === 0) return;
    const raised = [...watched.consoles].filter((console) => console.isRaisedIn(watched.name));
    const users = new Set(raised.map(({ console }) => console.claims.user.id));
    await Promise.all([...users].map((id) => help.renew(watched.name, id).catch(() => {})));
    watched.revision = undefined;
  }

  function tick(): void {
    const now = clock.now();
    let polls = 0;
    for (const watched of classes.values()) {
      if (watched.state?.paused || watched.state?.ending)
        for (const console of watched.consoles) console.followTime();
      if (now - watched.renewedAt >= renewMs) void renewHands(watched);
      if (now - watched.polledAt < pollMs || polls === pollsPerTick) continue;
      polls += 1;
      void refresh(watched, 'poll');
    }
  }

  function watch(name: string): WatchedClass {
    const known = classes.get(name);
    if (known) return known;
    const watched: WatchedClass = {
      name,
      consoles: new Set(),
      state: undefined,
      revision: undefined,
      polledAt: clock.now(),
      renewedAt: clock.now(),
      reading: undefined,
      readAgain: false,
    };
    classes.set(name, watched);
    return watched;
  }

  return {
    register(classNames, memberConsole) {
      const console = new ClassConsole(memberConsole, () => clock.now());
      const watched = classNames.map(watch);
      for (const each of watched) {
        each.consoles.add(console);
        apply(each, console);
      }
      if (watched.some(({ state }) => !state)) memberConsole.gate.shutFor(unknownReason);
      const read = Promise.all(watched.map((each) => refresh(each, 'poll')));
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
    onChanged(className) {
      const watched = classes.get(className);
      if (watched) void refresh(watched, 'signal');
    },
    pausedConsoles: () =>
      new Set([...classes.values()].flatMap(({ consoles }) => [...consoles].filter(({ paused }) => paused)))
        .size,
    start: () => every(clock, tickMs, tick),
  };
}
