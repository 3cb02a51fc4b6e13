import { captureTerminal } from '../recording/capture-terminal.ts';
import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import { AnswerWatch } from './answer-watch.ts';
import { PacedLink, windowBytes } from './paced-link.ts';
import { createTerminalMessageFilter } from './terminal-message-filter.ts';
import { terminalLimits, terminalPing } from './terminal-messages.ts';

/** The protocol of a terminal. Its output is forwarded unread; the first picture counts as there from the start. */
export function createTerminalProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { clock, claims, upstream, gate, onHumanInput, onPicture, onAnswering, deadlines, capture } = deps;
  onPicture();
  const answers = new AnswerWatch({ clock, afterMs: deadlines.terminalAnswer, onChange: onAnswering });
  const link = new PacedLink(upstream.link, { clock, deadlines, answers });
  const filter = createTerminalMessageFilter({ viewOnly: claims.mode === 'view', gate, onHumanInput });
  const recorded = capture && captureTerminal(capture);
  return {
    filter: recorded ? recorded.filter(filter) : filter,
    upstream: recorded ? recorded.upstream({ ...upstream, link }) : { ...upstream, link },
    // What was just sent is in the link's own buffer for a moment.
    maxInputWaiting: terminalLimits.waitingBytes + windowBytes,
    keepAlive: terminalPing,
    withdrawInput: () => link.stop(),
    stop() {
      answers.stop();
      link.stop();
    },
  };
}
