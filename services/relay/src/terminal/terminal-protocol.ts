import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import type { PumpLimits } from '../stream/pump.ts';
import { AnswerWatch } from './answer-watch.ts';
import { PacedLink } from './paced-link.ts';
import { createTerminalMessageFilter } from './terminal-message-filter.ts';
import { terminalPing } from './terminal-messages.ts';

/**
 * The longest message may wait for a slow terminal. The viewer is read again soon, because its pings wait behind its
 * input: at the slowest pace, 32 KiB take four seconds.
 */
const inputLimits: PumpLimits = {
  pauseBytes: 1024 * 1024,
  resumeBytes: 992 * 1024,
  stallTimeoutMs: 60_000,
};

/** The protocol of a terminal. Its output is forwarded unread; the first picture counts as there from the start. */
export function createTerminalProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { clock, claims, upstream, onHumanInput, onPicture, onAnswering, deadlines } = deps;
  onPicture();
  const answers = new AnswerWatch({ clock, afterMs: deadlines.terminalAnswer, onChange: onAnswering });
  const link = new PacedLink(upstream.link, { clock, deadlines, answers });
  return {
    filter: createTerminalMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput }),
    upstream: { ...upstream, link },
    inputLimits,
    keepAlive: terminalPing,
    stop() {
      answers.stop();
      link.stop();
    },
  };
}
