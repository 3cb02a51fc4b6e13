import type { ClassState } from '@porthole/shared/class/class-states';
import { showingAt, type ClassShowing } from '@porthole/shared/class/showings';
import type { ClassPause } from '@porthole/shared/class/pauses';
import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { terminationError } from '@porthole/shared/session/termination-orders';
import { lifetimes } from '@porthole/shared/store/keys';
import type { InputGate } from './input-gate.ts';
import type { TimeLimits } from './time-limits.ts';

/** A console of a member of classes, or one that shows what is shown to a class, as far as classes affect it. */
export interface MemberConsole {
  readonly claims: Pick<GrantClaims, 'user' | 'issuedAt' | 'cluster' | 'vmid' | 'follows'>;
  readonly gate: Pick<InputGate, 'shutFor' | 'openFor'>;
  readonly timeLimits: Pick<TimeLimits, 'restartIdle'>;
  readonly sendControl: (message: ControlMessage) => void;
  readonly end: (error: PortholeError) => void;
}

const pauseReason = 'class paused';
/** Of one console. More than a class keeps. */
const maxRememberedMessages = 100;

/** What applies to one console of all the classes that it belongs to. Tells its page each change once. */
export class ClassConsole {
  readonly console: MemberConsole;
  readonly #now: () => number;
  readonly #states = new Map<string, ClassState>();
  readonly #positions = new Map<string, number>();
  readonly #sentMessages = new Set<string>();
  #pause: ClassPause | undefined;
  #shown: ClassShowing | undefined;
  #endsAt: number | undefined;
  #help = '';
  #stopped = false;

  constructor(console: MemberConsole, now: () => number) {
    this.console = console;
    this.#now = now;
  }

  get paused(): boolean {
    return this.#pause !== undefined;
  }

  get following(): boolean {
    return this.console.claims.follows !== undefined;
  }

  /** Whether the user's hand is raised in this class. */
  isRaisedIn(className: string): boolean {
    return this.#positions.has(className);
  }

  /** The state of a class, as read just now, and the user's place in its help queue. */
  apply(className: string, state: ClassState, position: number | undefined): void {
    if (this.#stopped) return;
    this.#states.set(className, state);
    if (this.following) return this.followTime();
    if (position === undefined) this.#positions.delete(className);
    else this.#positions.set(className, position);
    this.#sendMessages(state);
    this.tellHelp();
    this.followTime();
  }

  /** Pauses and ends have their times. */
  followTime(): void {
    if (this.#stopped) return;
    if (this.following) return this.#endWithShowing();
    this.#followShowings();
    this.#followPauses();
    this.#followEndings();
  }

  /** The console belongs to its classes no longer. */
  stop(): void {
    this.#stopped = true;
    this.#pause = undefined;
    this.console.gate.openFor(pauseReason);
  }

  /** Sends the state of the user's hand if the page does not have it. `again`: also if it should have. */
  tellHelp(again = false): void {
    const position = Math.min(...this.#positions.values());
    const message: ControlMessage = Number.isFinite(position)
      ? { type: 'help', raised: true, position }
      : { type: 'help', raised: false };
    const text = JSON.stringify(message);
    // A page begins without a raised hand.
    const known = this.#help === '' ? '{"type":"help","raised":false}' : this.#help;
    if (text === known && !again) return;
    this.#help = text;
    this.console.sendControl(message);
  }

  /** Of several pauses, the one that ends last. */
  #followPauses(): void {
    const { gate, sendControl, timeLimits } = this.console;
    const now = this.#now();
    const [pause] = [...this.#states.values()]
      .flatMap(({ paused }) => (paused && paused.until > now ? paused : []))
      .toSorted((a, b) => b.until - a.until);
    const before = this.#pause;
    this.#pause = pause;
    if (!pause) {
      if (!before) return;
      gate.openFor(pauseReason);
      sendControl({ type: 'unpaused' });
      return;
    }
    gate.shutFor(pauseReason);
    // Users who must not type are not idle.
    timeLimits.restartIdle();
    const { until, text, by } = pause;
    if (before?.until === until && before.text === text && before.by === by) return;
    const seconds = Math.ceil((until - now) / 1000);
    sendControl({ type: 'paused', seconds, text, ...(by === undefined ? {} : { by }) });
  }

  /** Of several screens that are shown, the one that was shown last. */
  #followShowings(): void {
    const { claims, sendControl } = this.console;
    const now = this.#now();
    const [shown] = [...this.#states.values()]
      .flatMap((state) => showingAt(state, now) ?? [])
      .toSorted((a, b) => b.since - a.since);
    const before = this.#shown;
    if (shown?.id === before?.id) return;
    this.#shown = shown;
    if (!shown) return sendControl({ type: 'not_shown' });
    const { cluster, vmid, name, by } = shown;
    const mine = cluster === claims.cluster && vmid === claims.vmid;
    sendControl({ type: 'shown', cluster, vmid, name, ...(by === undefined ? {} : { by }), mine });
  }

  /** A console that follows a class ends with what it follows. */
  #endWithShowing(): void {
    const { claims, end, timeLimits } = this.console;
    const now = this.#now();
    const shown = [...this.#states.values()].map((state) => showingAt(state, now));
    if (shown.some((each) => each?.id === claims.follows?.showing)) {
      // Users who can only look are not idle.
      timeLimits.restartIdle();
      return;
    }
    this.stop();
    end(terminationError({ cause: 'ended_by_operator' }, 'the machine is not shown to the class any more'));
  }

  /** An end applies to consoles that were granted before it. */
  #followEndings(): void {
    const { claims, sendControl, end } = this.console;
    const [ending] = [...this.#states.values()]
      .flatMap((state) => (state.ending && claims.issuedAt < state.ending.at ? state.ending : []))
      .toSorted((a, b) => a.at - b.at);
    const left = ending && ending.at - this.#now();
    if (left !== undefined && left <= 0) {
      this.stop();
      end(terminationError({ cause: 'ended_by_operator', by: ending?.by }, 'the class has ended'));
      return;
    }
    if (ending?.at === this.#endsAt) return;
    this.#endsAt = ending?.at;
    if (left === undefined) sendControl({ type: 'notice_over', notice: 'class' });
    else sendControl({ type: 'notice', notice: 'class', seconds: Math.ceil(left / 1000), extend: false });
  }

  #sendMessages({ messages }: ClassState): void {
    const { claims, sendControl } = this.console;
    for (const { id, at, text, by, users } of messages) {
      if (this.#sentMessages.has(id) || this.#now() - at >= lifetimes.classMessage) continue;
      if (users && !users.includes(claims.user.id)) continue;
      this.#sentMessages.add(id);
      sendControl({ type: 'message', id, text, ...(by === undefined ? {} : { by }) });
    }
    const [oldest] = this.#sentMessages;
    if (this.#sentMessages.size > maxRememberedMessages && oldest !== undefined)
      this.#sentMessages.delete(oldest);
  }
}
