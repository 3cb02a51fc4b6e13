import type { HelpRequest } from '../class/class-info.ts';
import type { ConnectionState, Transition } from './state.ts';

/** Sends the request, or keeps it until the console is open again. A newer request replaces it. */
export function requestHelp(state: ConnectionState, request: HelpRequest): Transition {
  return sendUnsentHelp({ ...state, unsentHelp: request });
}

export function sendUnsentHelp(state: ConnectionState): Transition {
  const { phase, unsentHelp } = state;
  if (!unsentHelp || phase.state !== 'open') return { state, effects: [] };
  return {
    state: { ...state, unsentHelp: undefined },
    effects: [{ type: 'send-help', request: unsentHelp }],
  };
}
