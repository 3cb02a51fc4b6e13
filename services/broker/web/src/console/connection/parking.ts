import { abandonAttempt, startAttempt } from './next-step.ts';
import type { Outcome } from './outcome.ts';
import type { ConnectionState, Environment, Transition } from './state.ts';
import type { Phase } from './view.ts';

/** How long the relay has to answer that the page is visible again. It answers at once, unless the connection is dead. */
const returnDeadlineMs = 1000;

type ParkedPhase = Extract<Phase, { state: 'parked' }>;

/** The relay has released the console. The page may be visible by now. */
export function onParked(state: ConnectionState, env: Environment): Transition {
  const { phase } = state;
  if (phase.state !== 'open' && phase.state !== 'awaiting-frame') return { state, effects: [] };
  const parked: ParkedPhase = { state: 'parked', mode: phase.mode, connected: true };
  const next: ConnectionState = { ...state, phase: parked, interruption: 'parked' };
  return env.visible() ? returnFromParking(next, parked, env) : { state: next, effects: [] };
}

/**
 * The user is back. The relay is told, and its close frame says when to resume: behind the newest resume token, which a
 * page that was frozen has not read yet. Without a connection, the page resumes at once.
 */
export function returnFromParking(
  state: ConnectionState,
  { connected }: ParkedPhase,
  env: Environment,
): Transition {
  if (!connected) return startAttempt(state, env);
  if (state.timerAt !== undefined) return { state, effects: [] };
  return {
    state: { ...state, timerAt: env.now() + returnDeadlineMs },
    effects: [{ type: 'report-visibility', hidden: false }],
  };
}

/** The relay has not answered the return. */
export function onParkedTimer(state: ConnectionState): Transition {
  return { state, effects: [{ type: 'abandon-socket' }] };
}

/**
 * The connection of a parked session has ended. A page that is hidden opens no console: it resumes or requests a new
 * grant when it is visible. Returns undefined for an end that concerns the session, which is handled as usual.
 */
export function onParkedSocketClosed(
  state: ConnectionState,
  phase: ParkedPhase,
  outcome: Outcome,
  env: Environment,
): Transition | undefined {
  const resumable = outcome.next === 'reconnect' || (outcome.next === 'retry' && outcome.lost === true);
  if (!resumable) return undefined;
  // Returning is not one of the moves whose number is limited.
  const next = { ...abandonAttempt(state), retries: 0, moves: 0 };
  return env.visible()
    ? startAttempt(next, env)
    : { state: { ...next, phase: { ...phase, connected: false } }, effects: [] };
}
