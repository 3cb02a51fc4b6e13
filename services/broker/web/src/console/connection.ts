import type { Cancel, Clock } from '@porthole/shared/clock';
import type { ControlMessage } from '@porthole/shared/control-messages';
import type { Answer, Grant } from '../api.ts';
import { wordsForProblem } from '../texts.ts';
import { backoff } from './backoff.ts';
import { outcomeOfClose, outcomeOfProblem, type Outcome } from './outcome.ts';
import type { Phase, View } from './view.ts';

/** One WebSocket with its screen. Events of a line that was closed by us are not heard any more. */
export interface Line {
  close(): void;
}

export interface LineEvents {
  connected(): void;
  control(message: ControlMessage): void;
  /** The machine's first picture is on the screen. */
  picture(): void;
  closed(code: number, reason: string): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  random(): number;
  online(): boolean;
  visible(): boolean;
  askGrant(): Promise<Answer<Grant>>;
  /** The machine's status in the broker's list, `undefined` if it is not in there. */
  machineStatus(): Promise<Answer<string | undefined>>;
  dial(grant: Grant, events: LineEvents): Line;
  signIn(): void;
  show(view: View): void;
}

export interface Connection {
  /** Opens the console, now, whatever the state: the first time, "Try now", "Reconnect" and "Open again". */
  open(): void;
  /** The page is leaving. */
  stop(): void;
  networkChanged(): void;
  visibilityChanged(): void;
}

const connectDeadline = 20_000;
const pollEvery = 3000;
const slowestPoll = 24_000;
/** Whoever had a picture for so long starts from the beginning: small delays, all tries. */
const stableAfter = 60_000;
/** Relays that keep on sending us away without end are a fault, not a rollout. */
const movesInARow = 3;

/**
 * Keeps a console open: asks for a grant, dials, and decides what each end means. No DOM, no timers of its own:
 * the same events always lead to the same states.
 */
export function createConnection(ports: ConnectionPorts): Connection {
  const { clock } = ports;
  let view: View = {
    state: 'asking',
    quiet: false,
    supportId: undefined,
    close: undefined,
    machine: undefined,
  };
  /** Answers to an older attempt come with an older number and are dropped. */
  let attemptId = 0;
  let line: Line | undefined;
  let cancelTimer: Cancel = () => {};
  let cancelStable: Cancel = () => {};
  let retries = 0;
  let moves = 0;
  let renewed = false;
  let emptyPolls = 0;
  let missing = 0;
  let pollId = 0;

  function show(phase: Phase, change: Partial<Pick<View, 'quiet' | 'supportId' | 'close' | 'machine'>> = {}) {
    const { quiet, supportId, close, machine } = { ...view, ...change };
    view = { ...phase, quiet, supportId, close, machine };
    ports.show(view);
  }

  /** Ends whatever goes on. What it still reports later belongs to an older attempt. */
  function drop(): number {
    cancelTimer();
    cancelTimer = () => {};
    cancelStable();
    cancelStable = () => {};
    const old = line;
    line = undefined;
    attemptId += 1;
    old?.close();
    return attemptId;
  }

  function attempt(quiet: boolean) {
    const mine = drop();
    show({ state: 'asking' }, { quiet });
    void ports.askGrant().then((answer) => {
      if (mine !== attemptId) return;
      if (answer.ok) dial(answer.value, mine);
      else follow(outcomeOfProblem(answer.problem));
    });
  }

  function dial(grant: Grant, mine: number) {
    show({ state: 'connecting' }, { supportId: grant.id, machine: grant.machine });
    // A packet filter that swallows packets leaves a WebSocket connecting for minutes.
    cancelTimer = clock.after(connectDeadline, () => closed(1006, ''));
    const current = (listener: () => void) => {
      if (mine === attemptId) listener();
    };
    line = ports.dial(grant, {
      connected: () =>
        current(() => {
          if (view.state !== 'connecting') return;
          cancelTimer();
          show({ state: 'opening' });
        }),
      control: (message) => current(() => heard(message)),
      picture: () => current(pictured),
      closed: (code, reason) => current(() => closed(code, reason)),
    });
  }

  function heard(message: ControlMessage) {
    if (view.state === 'open') {
      // The picture can overtake the word that announces it.
      if (message.type === 'opened') show({ state: 'open', mode: message.mode });
      return;
    }
    switch (message.type) {
      case 'queued':
        show({ state: 'queued', position: message.position });
        break;
      case 'opening':
        show({ state: 'opening', step: message.step });
        break;
      case 'opened':
        show({ state: 'picture', mode: message.mode });
        break;
      default:
        message satisfies never;
    }
  }

  function pictured() {
    if (view.state === 'open') return;
    renewed = false;
    emptyPolls = 0;
    missing = 0;
    cancelStable = clock.after(stableAfter, () => {
      retries = 0;
      moves = 0;
    });
    show({ state: 'open', mode: view.state === 'picture' ? view.mode : 'control' }, { quiet: false });
  }

  function closed(code: number, reason: string) {
    const hadPicture = view.state === 'open' || view.quiet;
    drop();
    view = { ...view, close: code };
    follow(outcomeOfClose(code, reason), hadPicture);
  }

  function follow(outcome: Outcome, hadPicture = false) {
    switch (outcome.next) {
      case 'reconnect':
        moves += 1;
        if (moves <= movesInARow) attempt(hadPicture);
        else retryLater(outcomeOfClose(1013, ''));
        break;
      case 'new-grant':
        if (renewed) end({ next: 'end', words: outcome.words, offer: 'list' });
        else {
          renewed = true;
          attempt(view.quiet);
        }
        break;
      case 'retry':
        retryLater(outcome);
        break;
      case 'wait-for-machine':
        drop();
        show({ state: 'waiting', words: outcome.words }, { quiet: false });
        pollLater();
        break;
      case 'end':
        end(outcome);
        break;
      case 'sign-in':
        end({ next: 'end', words: outcome.words, offer: 'sign-in' });
        ports.signIn();
        break;
      default:
        outcome satisfies never;
    }
  }

  function end({ words, offer }: Extract<Outcome, { next: 'end' }>) {
    drop();
    show({ state: 'ended', words, offer }, { quiet: false });
  }

  function retryLater(outcome: Outcome) {
    if (outcome.next !== 'retry') return follow(outcome);
    drop();
    const delay = outcome.wait ?? backoff(retries, ports.random);
    retries += 1;
    const retryAt = clock.now() + delay;
    show({ state: 'retrying', words: outcome.words, retryAt, offline: !ports.online() }, { quiet: false });
    cancelTimer = clock.after(delay, retryDue);
  }

  /** Without a network a try is a waste; but browsers err about being offline, so look again now and then. */
  function retryDue() {
    if (view.state !== 'retrying') return;
    if (ports.online() || view.offline) attempt(false);
    else {
      show({ ...view, retryAt: clock.now() + slowestPoll, offline: true });
      cancelTimer = clock.after(slowestPoll, retryDue);
    }
  }

  function pollLater() {
    const delay = Math.min(slowestPoll, pollEvery * 2 ** emptyPolls);
    cancelTimer = clock.after(delay, () => void poll());
  }

  async function poll(): Promise<void> {
    cancelTimer();
    // Nobody looks: visibilityChanged() asks as soon as somebody does.
    if (!ports.visible()) return;
    const mine = attemptId;
    pollId += 1;
    const thisPoll = pollId;
    const answer = await ports.machineStatus();
    if (mine !== attemptId || thisPoll !== pollId || view.state !== 'waiting') return;
    if (!answer.ok) {
      const outcome = outcomeOfProblem(answer.problem);
      if (outcome.next === 'sign-in') follow(outcome);
      else pollLater();
    } else if (answer.value === 'running') {
      // The list may be older than the machine's end: if it runs only on paper, ask less often.
      emptyPolls += 1;
      attempt(false);
    } else if (answer.value === undefined && ++missing >= 3) {
      end({ next: 'end', words: wordsForProblem({ code: 'machine_not_found' }), offer: 'list' });
    } else {
      if (answer.value !== undefined) {
        missing = 0;
        emptyPolls = 0;
      }
      pollLater();
    }
  }

  return {
    open() {
      retries = 0;
      moves = 0;
      renewed = false;
      attempt(view.state === 'open');
    },
    stop() {
      drop();
    },
    networkChanged() {
      if (view.state !== 'retrying') return;
      if (ports.online()) attempt(false);
      else show({ ...view, offline: true });
    },
    visibilityChanged() {
      if (view.state === 'waiting' && ports.visible()) void poll();
    },
  };
}
