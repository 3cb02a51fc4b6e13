import type { ClassState, ClassStates } from '@porthole/shared/class/class-states';
import { lifetimes } from '@porthole/shared/store/keys';
import type { Clock } from '@porthole/shared/time/clock';
import type { ClassMetrics } from '../class-metrics.ts';
import type { ClassConsole } from './class-console.ts';

/** How often the places of raised hands are renewed. */
const renewMs = lifetimes.helpPlace / 3;

export interface WatchedClassDeps {
  readonly states: Pick<ClassStates, 'revision' | 'read' | 'help'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Pick<ClassMetrics, 'classChanged'>;
}

/** One class with consoles of its members at this relay: what is known of it, and when it was read. */
export class WatchedClass {
  readonly name: string;
  readonly consoles = new Set<ClassConsole>();
  readonly #deps: WatchedClassDeps;
  #state: ClassState | undefined;
  #revision: string | undefined;
  #polledAt: number;
  #renewedAt: number;
  #reading: Promise<void> | undefined;
  #readAgain = false;

  constructor(deps: WatchedClassDeps, name: string) {
    this.#deps = deps;
    this.name = name;
    this.#polledAt = this.#renewedAt = deps.clock.now();
  }

  /** Whether the store has answered. */
  get isKnown(): boolean {
    return this.#state !== undefined;
  }

  /** Milliseconds since the store was asked. */
  get age(): number {
    return this.#deps.clock.now() - this.#polledAt;
  }

  add(console: ClassConsole): void {
    this.consoles.add(console);
    this.#apply(console);
  }

  /** Reads the state if it has changed. Never rejects: while the store is unavailable, what was known goes on. */
  refresh(foundBy: 'signal' | 'poll'): Promise<void> {
    this.#readAgain = this.#reading !== undefined;
    return (this.#reading ??= this.#readUntilCurrent(foundBy));
  }

  /** Pauses and ends have their times, and places in the help queue must be renewed. */
  followTime(): void {
    const { paused, ending, showing } = this.#state ?? {};
    if (paused ?? ending ?? showing) for (const console of this.consoles) console.followTime();
    if (this.#deps.clock.now() - this.#renewedAt >= renewMs) void this.#renewHands();
  }

  /** One read at a time. */
  async #readUntilCurrent(foundBy: 'signal' | 'poll'): Promise<void> {
    do {
      this.#readAgain = false;
      // Each read must see what the one before has missed.
      // oxlint-disable-next-line no-await-in-loop
      await this.#read(foundBy).catch(() => {});
    } while (this.#readAgain);
    this.#reading = undefined;
  }

  async #read(foundBy: 'signal' | 'poll'): Promise<void> {
    const { states, clock, metrics } = this.#deps;
    this.#polledAt = clock.now();
    const revision = await states.revision(this.name);
    if (this.#state && revision === this.#revision) return;
    const isChange = this.#state !== undefined;
    this.#state = await states.read(this.name);
    // A change that came between the two calls has another revision, so it is found by the next poll.
    this.#revision = revision;
    if (isChange) metrics.classChanged(foundBy);
    for (const console of this.consoles) this.#apply(console);
  }

  #apply(console: ClassConsole): void {
    if (!this.#state) return;
    const { help } = this.#deps.states;
    const { id } = console.console.claims.user;
    console.apply(this.name, this.#state, help.positionIn(this.#state.hands, this.name, id));
  }

  /** Places that are not renewed expire without a new revision, so the state is read again. */
  async #renewHands(): Promise<void> {
    const { states, clock } = this.#deps;
    this.#renewedAt = clock.now();
    if (!this.#state || this.#state.hands.length === 0) return;
    const raised = [...this.consoles].filter((console) => console.isRaisedIn(this.name));
    const users = new Set(raised.map(({ console }) => console.claims.user.id));
    await Promise.all([...users].map((id) => states.help.renew(this.name, id).catch(() => {})));
    this.#revision = undefined;
  }
}
