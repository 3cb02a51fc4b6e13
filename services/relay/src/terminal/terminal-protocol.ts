import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import { createTerminalMessageFilter, terminalPing } from './terminal-message-filter.ts';

/** The protocol of a terminal. Its output is forwarded unread; the first picture counts as there from the start. */
export function createTerminalProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { claims, upstream, onHumanInput, onPicture } = deps;
  onPicture();
  return {
    filter: createTerminalMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput }),
    upstream,
    keepAlive: terminalPing,
    stop() {},
  };
}
