import type { Grant } from '../../api.ts';
import { withoutTerminal } from '../../texts/console.ts';
import { forNewConnection } from '../class/class-info.ts';
import { noNotices } from '../notices/notices.ts';
import { outcomeOfClose, type Outcome } from './outcome.ts';
import { noSessionInfo } from './session-info.ts';
import type { ConnectionState, Environment, Transition } from './state.ts';

/** A packet filter that drops packets leaves a WebSocket connecting for minutes. */
const connectDeadlineMs = 20_000;
/** Shorter for a console that was open a moment ago: the network may come back between two attempts. */
const reconnectDeadlineMs = 10_000;
/** Relays that send the page away more often than this in a row are a fault, not a rollout. */
const maxMoves = 3;
const minPollMs = 3000;
const maxPollMs = 24_000;
const maxBackoffMs = 30_000;

/** Gives up the current attempt. What it still reports is ignored, and its socket is closed. */
export function abandonAttempt(state: ConnectionState): ConnectionState {
  return {
    ...state,
    attempt: state.attempt + 1,
    timerAt: undefined,
    openedAt: undefined,
    notices: noNotices,
  };
}

/** Starts an attempt: with the resume token if there is one, otherwise with a new grant from the broker. */
export function startAttempt(state: ConnectionState, env: Environment): Transition {
  const next = abandonAttempt(state);
  if (next.resumeGrant) return connect({ ...next, resuming: true }, next.resumeGrant, env);
  return {
    state: { ...next, phase: { state: 'requesting' }, resuming: false },
    effects: [{ type: 'request-grant' }],
  };
}

export function connect(state: ConnectionState, grant: Grant, env: Environment): Transition {
  const deadline = state.interruption === 'none' ? connectDeadlineMs : reconnectDeadlineMs;
  return {
    state: {
      ...state,
      phase: { state: 'connecting' },
      timerAt: env.now() + deadline,
      grant,
      sessionInfo: noSessionInfo,
      classInfo: forNewConnection(state.classInfo),
    },
    effects: [{ type: 'open-socket', grant }],
  };
}

/** What follows from the end of a connection or from a refused request. */
export function followOutcome(state: ConnectionState, outcome: Outcome, env: Environment): Transition {
  switch (outcome.next) {
    case 'reconnect':
      return reconnect(state, env);
    case 'new-grant':
      return state.grantRenewed
        ? end(state, { next: 'end', message: outcome.message, offer: 'list' })
        : startAttempt({ ...state, grantRenewed: true }, env);
    case 'retry':
      return retryLater(state, outcome, env);
    case 'wait-for-machine':
      return waitForMachine(state, outcome, env);
    case 'end':
      return end(state, outcome);
    case 'sign-in': {
      const ended = end(state, { next: 'end', message: outcome.message, offer: 'sign-in' });
      return { ...ended, effects: [{ type: 'go-to-sign-in' }] };
    }
    default:
      return outcome satisfies never;
  }
}

/** Connects to another relay at once. */
export function reconnect(state: ConnectionState, env: Environment): Transition {
  const next = { ...state, moves: state.moves + 1 };
  if (next.moves <= maxMoves) return startAttempt(next, env);
  const busy = outcomeOfClose(1013, '');
  return busy.next === 'retry' ? retryLater(next, busy, env) : followOutcome(next, busy, env);
}

type OutcomeOf<Next extends Outcome['next']> = Extract<Outcome, { next: Next }>;

function retryLater(state: ConnectionState, outcome: OutcomeOf<'retry'>, env: Environment): Transition {
  const retryAt = env.now() + (outcome.wait ?? backoffMs(state.retries, env.random));
  return {
    state: {
      ...abandonAttempt(state),
      phase: { state: 'retrying', message: outcome.message, retryAt, offline: !env.online() },
      interruption: state.interruption === 'none' ? 'none' : 'lost',
      timerAt: retryAt,
      retries: state.retries + 1,
    },
    effects: [],
  };
}

/**
 * 1, 2, 4 … 30 seconds, each up to a quarter shorter or longer: when a relay of a whole class fails, the class must
 * not come back in one wave.
 */
function backoffMs(retries: number, random: () => number): number {
  const base = Math.min(maxBackoffMs, 1000 * 2 ** Math.min(retries, 10));
  return Math.round(base * (0.75 + random() * 0.5));
}

function waitForMachine(
  state: ConnectionState,
  { message }: OutcomeOf<'wait-for-machine'>,
  env: Environment,
): Transition {
  const next = { ...abandonAttempt(state), interruption: 'none' } as const;
  return {
    state: { ...next, phase: { state: 'machine-off', message }, timerAt: nextPollAt(next, env) },
    effects: [],
  };
}

/** The list can be older than the machine's end: if the machine runs only in the list, poll less often. */
export function nextPollAt({ failedStarts }: ConnectionState, env: Environment): number {
  return env.now() + Math.min(maxPollMs, minPollMs * 2 ** failedStarts);
}

export function end(state: ConnectionState, { message, offer }: OutcomeOf<'end'>): Transition {
  if (offer === 'terminal' && !state.grant?.allow?.includes('terminal'))
    return end(state, { next: 'end', message: withoutTerminal(message), offer: 'list' });
  return {
    state: {
      ...abandonAttempt(state),
      phase: { state: 'ended', message, offer },
      interruption: 'none',
      unsentHelp: undefined,
    },
    effects: [],
  };
}
