import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import type { Answer, Grant } from '../../api.ts';
import { messageForProblem } from '../../texts/console.ts';
import { applyControlMessage } from '../control/control-info.ts';
import { applyClassMessage } from '../class/class-info.ts';
import {
  abandonAttempt,
  connect,
  end,
  followOutcome,
  nextPollAt,
  reconnect,
  startAttempt,
} from './next-step.ts';
import { connectionLostCode, outcomeOfClose, outcomeOfProblem } from './outcome.ts';
import { onParked, onParkedSocketClosed, onParkedTimer, returnFromParking } from './parking.ts';
import type { ConnectionEvent, ConnectionState, Effect, Environment, Transition } from './state.ts';
import { requestHelp, sendUnsentHelp } from './unsent-help.ts';

/** After this time with a picture, back-off starts at the beginning again. */
const stableAfterMs = 60_000;
/** The pause between attempts while the browser says that it is offline, which is not always true. */
const offlineRetryMs = 24_000;
/** A machine that is missing from this many lists in a row is gone. */
const maxMissingPolls = 3;

/**
 * The state machine of a connection: the only place that decides what an event leads to. It has no side effects, so
 * the same state, event and environment always lead to the same transition.
 */
export function transition(state: ConnectionState, event: ConnectionEvent, env: Environment): Transition {
  if ('attempt' in event && event.attempt !== state.attempt) return stay(state);
  switch (event.type) {
    case 'open-requested':
      return onOpenRequested(event.consents ? { ...state, consents: true } : state, env);
    case 'stopped':
      return stay({ ...abandonAttempt(state), resumeGrant: undefined });
    case 'grant-answered':
      return event.answer.ok
        ? connect(state, event.answer.value, env)
        : followOutcome(state, outcomeOfProblem(event.answer.problem), env);
    case 'socket-opened':
      return onSocketOpened(state);
    case 'control-message':
      return onMessage(state, event.message, env);
    case 'first-frame':
      return sendUnsentHelp(onFirstFrame(state, env));
    case 'socket-closed':
      return onSocketClosed(state, event, env);
    case 'connection-dead':
      return onSocketClosed(state, { code: connectionLostCode, reason: '', dead: true }, env);
    case 'timer':
      return onTimer({ ...state, timerAt: undefined }, env);
    case 'status-answered':
      return event.poll === state.poll ? onStatusAnswered(state, event.answer, env) : stay(state);
    case 'help-requested':
      return requestHelp(state, event.request);
    case 'network-changed':
      return onNetworkChanged(state, env);
    case 'visibility-changed':
      return onVisibilityChanged(state, env);
    default:
      return event satisfies never;
  }
}

function stay(state: ConnectionState, ...effects: readonly Effect[]): Transition {
  return { state, effects };
}

function onOpenRequested(state: ConnectionState, env: Environment): Transition {
  const { phase, interruption } = state;
  if (phase.state === 'parked') return returnFromParking(state, phase, env);
  const resumes = phase.state === 'retrying' || interruption === 'lost' || interruption === 'parked';
  return startAttempt(
    {
      ...state,
      retries: 0,
      moves: 0,
      grantRenewed: false,
      // "Try now" resumes the session that was lost. Everything else opens a new one.
      resumeGrant: resumes ? state.resumeGrant : undefined,
      interruption: resumes ? interruption : phase.state === 'open' ? 'brief' : 'none',
    },
    env,
  );
}

function onSocketOpened(state: ConnectionState): Transition {
  if (state.phase.state !== 'connecting') return stay(state);
  return stay({ ...state, phase: { state: 'opening' }, timerAt: undefined });
}

function onMessage(state: ConnectionState, message: ControlMessage, env: Environment): Transition {
  if (message.type === 'parked') return onParked(state, env);
  // What was under way when the console was parked is about the released console.
  if (message.type === 'opened' && state.phase.state === 'parked') return stay(state);
  const next = onControlMessage(state, message, env);
  return message.type === 'opened' && next.sessionInfo.parking && !env.visible()
    ? stay(next, { type: 'report-visibility', hidden: true })
    : stay(next);
}

function onControlMessage(
  state: ConnectionState,
  message: Exclude<ControlMessage, { type: 'parked' }>,
  env: Environment,
): ConnectionState {
  const open = state.phase.state === 'open';
  switch (message.type) {
    case 'queued':
      return open
        ? state
        : {
            ...state,
            phase: { state: 'queued', position: message.position, waitSeconds: message.waitSeconds },
          };
    case 'opening':
      return open ? state : { ...state, phase: { state: 'opening', step: message.step } };
    case 'opened': {
      const sessionInfo = {
        ...state.sessionInfo,
        clipboard: message.clipboard ?? 'both',
        parking: message.parking === true,
        recorded: message.recorded,
      };
      // The first frame can overtake this message.
      const name = open ? 'open' : 'awaiting-frame';
      return {
        ...state,
        phase: { state: name, mode: message.mode },
        sessionInfo,
        classInfo: applyClassMessage(state.classInfo, message, env.now()),
        lastOpened: state.grant?.id,
      };
    }
    case 'observers': {
      const observers = { by: message.by, others: message.others };
      return { ...state, sessionInfo: { ...state.sessionInfo, observers } };
    }
    case 'unanswered':
    case 'answers':
      return { ...state, sessionInfo: { ...state.sessionInfo, unanswered: message.type === 'unanswered' } };
    case 'screen': {
      const reconnecting = message.state === 'reconnecting';
      return { ...state, sessionInfo: { ...state.sessionInfo, reconnecting } };
    }
    case 'resume':
      return state.grant ? { ...state, resumeGrant: withToken(state.grant, message.token) } : state;
    case 'notice': {
      const notice = { endsAt: env.now() + message.seconds * 1000, extend: message.extend };
      return { ...state, notices: { ...state.notices, [message.notice]: notice } };
    }
    case 'notice_over':
      return { ...state, notices: { ...state.notices, [message.notice]: undefined } };
    case 'message':
    case 'paused':
    case 'unpaused':
    case 'shown':
    case 'not_shown':
    case 'help':
      return { ...state, classInfo: applyClassMessage(state.classInfo, message, env.now()) };
    case 'controlled':
    case 'uncontrolled':
    case 'control_asked': {
      const control = applyControlMessage(state.sessionInfo.control, message);
      return { ...state, sessionInfo: { ...state.sessionInfo, control } };
    }
    case 'not_recorded':
      return { ...state, sessionInfo: { ...state.sessionInfo, recorded: false } };
    case 'pong':
    // The close that follows says when to move.
    case 'moving':
      return state;
    default:
      return message satisfies never;
  }
}

/** The same session at the same address, with the token that the relay handed out. */
function withToken(grant: Grant, token: string): Grant {
  return { ...grant, protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`] };
}

function onFirstFrame(state: ConnectionState, env: Environment): ConnectionState {
  if (state.phase.state === 'open' || state.phase.state === 'parked') return state;
  return {
    ...state,
    phase: { state: 'open', mode: state.phase.state === 'awaiting-frame' ? state.phase.mode : 'control' },
    interruption: 'none',
    openedAt: env.now(),
    grantRenewed: false,
    failedStarts: 0,
    missingPolls: 0,
  };
}

function onSocketClosed(
  before: ConnectionState,
  { code, reason, dead = false }: { readonly code: number; readonly reason: string; readonly dead?: boolean },
  env: Environment,
): Transition {
  const outcome = outcomeOfClose(code, reason);
  if (before.phase.state === 'parked') {
    const parked = onParkedSocketClosed({ ...before, closeCode: code }, before.phase, outcome, env);
    if (parked) return parked;
  }
  const wasOpen = before.phase.state === 'open';
  const wasStable = before.openedAt !== undefined && env.now() - before.openedAt >= stableAfterMs;
  const state = {
    ...abandonAttempt(before),
    closeCode: code,
    ...(wasStable ? { retries: 0, moves: 0 } : {}),
  };
  if (outcome.next === 'new-grant' && state.resuming) {
    // The resume token is no longer valid: open a new session.
    return startAttempt({ ...state, resumeGrant: undefined }, env);
  }
  const lost = outcome.next === 'retry' && outcome.lost === true;
  // A session can be resumed only if the connection broke or the relay sent the page to another one.
  if (!lost && outcome.next !== 'reconnect')
    return followOutcome({ ...state, resumeGrant: undefined }, outcome, env);
  const next = { ...state, interruption: interruptionAfter(state, { wasOpen, dead }) };
  return lost && wasOpen && next.resumeGrant && env.online()
    ? reconnect(next, env)
    : followOutcome(next, outcome, env);
}

function interruptionAfter(
  { interruption }: ConnectionState,
  { wasOpen, dead }: { readonly wasOpen: boolean; readonly dead: boolean },
): ConnectionState['interruption'] {
  if (!wasOpen) return interruption;
  return dead ? 'lost' : 'brief';
}

function onTimer(state: ConnectionState, env: Environment): Transition {
  switch (state.phase.state) {
    case 'connecting':
      return onSocketClosed(state, { code: connectionLostCode, reason: '' }, env);
    case 'retrying': {
      if (env.online() || state.phase.offline) return startAttempt(state, env);
      const retryAt = env.now() + offlineRetryMs;
      return stay({ ...state, phase: { ...state.phase, retryAt, offline: true }, timerAt: retryAt });
    }
    case 'machine-off':
      return pollMachine(state, env);
    case 'parked':
      return onParkedTimer(state);
    default:
      return stay(state);
  }
}

/** A hidden page does not poll: `visibility-changed` does as soon as the page is visible. */
function pollMachine(state: ConnectionState, env: Environment): Transition {
  const next = { ...state, timerAt: undefined };
  return env.visible() ? stay({ ...next, poll: state.poll + 1 }, { type: 'poll-machine' }) : stay(next);
}

function onStatusAnswered(
  state: ConnectionState,
  answer: Answer<string | undefined>,
  env: Environment,
): Transition {
  const pollAgain = (next: ConnectionState) => stay({ ...next, timerAt: nextPollAt(next, env) });
  if (!answer.ok) {
    const outcome = outcomeOfProblem(answer.problem);
    return outcome.next === 'sign-in' ? followOutcome(state, outcome, env) : pollAgain(state);
  }
  const { value: status } = answer;
  if (status === 'running') return startAttempt({ ...state, failedStarts: state.failedStarts + 1 }, env);
  if (status !== undefined) return pollAgain({ ...state, missingPolls: 0, failedStarts: 0 });
  const missingPolls = state.missingPolls + 1;
  if (missingPolls < maxMissingPolls) return pollAgain({ ...state, missingPolls });
  const message = messageForProblem({ code: 'machine_not_found' });
  return end({ ...state, missingPolls }, { next: 'end', message, offer: 'list' });
}

/** The browser's word about the network is a hint: an open connection is checked, not given up. */
function onNetworkChanged(state: ConnectionState, env: Environment): Transition {
  if (state.phase.state !== 'retrying') return stay(state, { type: 'check-connection' });
  if (env.online()) return startAttempt(state, env);
  return stay({ ...state, phase: { ...state.phase, offline: true } });
}

function onVisibilityChanged(state: ConnectionState, env: Environment): Transition {
  const { phase, sessionInfo } = state;
  const report: readonly Effect[] =
    phase.state !== 'parked' && sessionInfo.parking
      ? [{ type: 'report-visibility', hidden: !env.visible() }]
      : [];
  if (!env.visible()) return stay(state, ...report);
  if (phase.state === 'parked') return returnFromParking(state, phase, env);
  if (phase.state === 'machine-off') return pollMachine(state, env);
  return stay(state, ...report, { type: 'check-connection' });
}
