import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ClientMessage, ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { Answer, Grant } from '../../api.ts';
import { messageForProblem } from '../../texts.ts';
import { backoff } from './backoff.ts';
import { noNotices, type Notices } from '../notices/notices.ts';
import { connectionLostCode, outcomeOfClose, outcomeOfProblem, type Outcome } from './outcome.ts';
import { resumeGrant } from './resume-grant.ts';
import { noSessionInfo } from './session-info.ts';
import type { Phase, View } from './view.ts';

/** One WebSocket with its screen. Events of a line that was closed by us are not heard any more. */
export interface ConsoleSocket {
  send(message: ClientMessage): void;
  close(): void;
}

export interface ConsoleSocketEvents {
  onOpen(): void;
  onControlMessage(message: ControlMessage): void;
  /** The machine's first picture is on the screen. */
  onFirstFrame(): void;
  onClose(code: number, reason: string): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  random(): number;
  online(): boolean;
  visible(): boolean;
  requestGrant(): Promise<Answer<Grant>>;
  /** The machine's status in the broker's list, `undefined` if it is not in there. */
  machineStatus(): Promise<Answer<string | undefined>>;
  dial(grant: Grant, events: ConsoleSocketEvents): ConsoleSocket;
  goToSignIn(): void;
  show(view: View): void;
}

export interface Connection {
  /** Opens the console, now, whatever the state: the first time, "Try now", "Reconnect" and "Open again". */
  open(): void;
  /** "Keep it open": the answer to a notice. */
  extend(): void;
  /** The page is leaving. */
  stop(): void;
  networkChanged(): void;
  visibilityChanged(): void;
}

type Change = Partial<
  Pick<View, 'quiet' | 'supportId' | 'closeCode' | 'machine' | 'notices' | 'sessionInfo'>
>;

const connectDeadline = 20_000;
const pollEvery = 3000;
const slowestPoll = 24_000;
/** Whoever had a picture for so long starts from the beginning: small delays, all tries. */
const stableAfter = 60_000;
/** Relays that keep on sending us away without end are a fault, not a rollout. */
const movesInARow = 3;

/**
 * Keeps a console open: asks for a grant, dials, and decides what each end means. While it is open the relay
 * hands out grants to go on with at another relay, so that losing one costs neither the broker nor a word.
 * No DOM, no timers of its own: the same events always lead to the same states.
 */
export function createConnection(ports: ConnectionPorts): Connection {
  const { clock } = ports;
  let view: View = {
    state: 'asking',
    quiet: false,
    supportId: undefined,
    closeCode: undefined,
    machine: undefined,
    notices: noNotices,
    sessionInfo: noSessionInfo,
  };
  /** Answers to an older attempt come with an older number and are dropped. */
  let attemptId = 0;
  let line: ConsoleSocket | undefined;
  /** The grant of the line that is dialled, and the newest one to go on with. In this memory and nowhere else. */
  let current: Grant | undefined;
  let next: Grant | undefined;
  let resuming = false;
  let cancelTimer: Cancel = () => {};
  let cancelStable: Cancel = () => {};
  let retries = 0;
  let moves = 0;
  let renewed = false;
  let emptyPolls = 0;
  let missing = 0;
  let pollId = 0;

  function show(phase: Phase, change: Change = {}) {
    const { quiet, supportId, closeCode, machine, notices, sessionInfo } = { ...view, ...change };
    view = { ...phase, quiet, supportId, closeCode, machine, notices, sessionInfo };
    ports.show(view);
  }

  /** Ends whatever goes on. What it still reports later belongs to an older attempt. */
  function disconnect(): number {
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
    const mine = disconnect();
    resuming = next !== undefined;
    if (next) return dial(next, mine, quiet);
    show({ state: 'asking' }, { quiet, notices: noNotices });
    void ports.requestGrant().then((answer) => {
      if (mine !== attemptId) return;
      if (answer.ok) dial(answer.value, mine, quiet);
      else follow(outcomeOfProblem(answer.problem));
    });
  }

  function dial(grant: Grant, mine: number, quiet: boolean) {
    current = grant;
    const { id: supportId, machine } = grant;
    show(
      { state: 'connecting' },
      { quiet, supportId, machine, notices: noNotices, sessionInfo: noSessionInfo },
    );
    // A packet filter that swallows packets leaves a WebSocket connecting for minutes.
    cancelTimer = clock.after(connectDeadline, () => closed(connectionLostCode, ''));
    const ifCurrent = (listener: () => void) => {
      if (mine === attemptId) listener();
    };
    line = ports.dial(grant, {
      onOpen: () =>
        ifCurrent(() => {
          if (view.state !== 'connecting') return;
          cancelTimer();
          show({ state: 'opening' });
        }),
      onControlMessage: (message) => ifCurrent(() => heard(message)),
      onFirstFrame: () => ifCurrent(pictured),
      onClose: (code, reason) => ifCurrent(() => closed(code, reason)),
    });
  }

  function heard(message: ControlMessage) {
    switch (message.type) {
      case 'queued':
        if (view.state !== 'open') show({ state: 'queued', position: message.position });
        break;
      case 'opening':
        if (view.state !== 'open') show({ state: 'opening', step: message.step });
        break;
      case 'opened':
        // The picture can overtake the word that announces it.
        show(
          { state: view.state === 'open' ? 'open' : 'picture', mode: message.mode },
          { sessionInfo: { ...view.sessionInfo, clipboard: message.clipboard ?? 'both' } },
        );
        break;
      case 'observers':
        show(view, {
          sessionInfo: { ...view.sessionInfo, observers: { by: message.by, others: message.others } },
        });
        break;
      case 'resume':
        if (current) next = resumeGrant(current, message.token);
        break;
      case 'notice':
        setNotices({
          ...view.notices,
          [message.notice]: { endsAt: clock.now() + message.seconds * 1000, extend: message.extend },
        });
        break;
      case 'notice_over':
        setNotices({ ...view.notices, [message.notice]: undefined });
        break;
      case 'pong':
      case 'moving':
        // The relay is about to leave; the close that follows says when to go.
        break;
      default:
        message satisfies never;
    }
  }

  function setNotices(notices: Notices) {
    show(view, { notices });
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
    const wasOpen = view.state === 'open';
    const hadPicture = wasOpen || view.quiet;
    disconnect();
    view = { ...view, closeCode: code };
    const outcome = outcomeOfClose(code, reason);
    const lost = outcome.next === 'retry' && outcome.lost === true;
    // Another relay takes over at once what broke while it was open; what never came to be is tried with pauses.
    if (lost && wasOpen && next && ports.online()) follow({ next: 'reconnect' }, true);
    else if (outcome.next === 'new-grant' && resuming) {
      // Too late to go on: it is opened anew.
      next = undefined;
      attempt(view.quiet);
    } else {
      // Only a line that broke or moved goes on; what ended otherwise is over.
      if (!lost && outcome.next !== 'reconnect') next = undefined;
      follow(outcome, hadPicture);
    }
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
        disconnect();
        show({ state: 'waiting', words: outcome.words }, { quiet: false, notices: noNotices });
        pollLater();
        break;
      case 'end':
        end(outcome);
        break;
      case 'sign-in':
        end({ next: 'end', words: outcome.words, offer: 'sign-in' });
        ports.goToSignIn();
        break;
      default:
        outcome satisfies never;
    }
  }

  function end({ words, offer }: Extract<Outcome, { next: 'end' }>) {
    disconnect();
    show({ state: 'ended', words, offer }, { quiet: false, notices: noNotices });
  }

  function retryLater(outcome: Outcome) {
    if (outcome.next !== 'retry') return follow(outcome);
    disconnect();
    const delay = outcome.wait ?? backoff(retries, ports.random);
    retries += 1;
    const retryAt = clock.now() + delay;
    show(
      { state: 'retrying', words: outcome.words, retryAt, offline: !ports.online() },
      { quiet: false, notices: noNotices },
    );
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
      end({ next: 'end', words: messageForProblem({ code: 'machine_not_found' }), offer: 'list' });
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
      // "Try now" goes on with what was lost; everything else is a new console.
      if (view.state !== 'retrying') next = undefined;
      attempt(view.state === 'open');
    },
    extend() {
      line?.send({ type: 'extend' });
    },
    stop() {
      next = undefined;
      disconnect();
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
