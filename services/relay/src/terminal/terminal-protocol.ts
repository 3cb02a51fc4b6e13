import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import { createTerminalMessageFilter, terminalPing } from './client-messages.ts';

/** A terminal: its output passes unread, and counts as the first picture from the start. */
export function createTerminalProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { claims, dialled, onHumanInput, onPicture } = deps;
  onPicture();
  return {
    filter: createTerminalMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput }),
    machine: dialled,
    keepAlive: terminalPing,
    stop() {},
  };
}
