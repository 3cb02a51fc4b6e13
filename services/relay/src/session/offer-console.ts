import type { PortholeError } from '@porthole/shared/errors';
import type { ConsoleProtocol } from '../stream/console-protocol.ts';
import type { DialledConsole } from '../upstream/dial.ts';
import type { ResumeTokens } from './resume-tokens.ts';

/**
 * Offers the console that a session streams to a shared screen. It can be taken over between two messages of the viewer,
 * if the viewer has a token with which it resumes. Viewers without control messages never have one. Before it ends, the
 * session releases the keys and buttons that its viewer holds: the machine would not learn that another connection has
 * released them.
 */
export function offerConsole(
  dialled: DialledConsole,
  { filter, withdrawInput }: Pick<ConsoleProtocol, 'filter' | 'withdrawInput'>,
  session: {
    readonly signal: AbortSignal;
    readonly tokens: Pick<ResumeTokens, 'canResumeNow'> | undefined;
    readonly end: (error: PortholeError) => void;
  },
): void {
  const { signal, tokens, end } = session;
  dialled.onStreaming?.({
    handsOver() {
      if (signal.aborted || !tokens) return 'never';
      return tokens.canResumeNow && filter.atMessageBoundary ? 'now' : 'later';
    },
    end(error) {
      withdrawInput();
      end(error);
    },
  });
}
