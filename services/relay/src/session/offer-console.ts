import type { PortholeError } from '@porthole/shared/errors';
import type { MessageFilter } from '../stream/message-filter.ts';
import type { DialledConsole } from '../upstream/dial.ts';
import type { ResumeTokens } from './resume-tokens.ts';

/**
 * Lets a shared screen take over the console of a session between two messages, if the viewer can resume: it does so at
 * the shared screen.
 */
export function offerConsole(
  dialled: DialledConsole,
  filter: Pick<MessageFilter, 'atMessageBoundary'>,
  session: {
    readonly signal: AbortSignal;
    /** Undefined if the viewer can't resume. */
    readonly resumeTokens: Pick<ResumeTokens, 'canResume'> | undefined;
    readonly end: (error: PortholeError) => void;
  },
): void {
  const { signal, resumeTokens, end } = session;
  dialled.onStreaming?.({
    handsOver() {
      if (signal.aborted || !resumeTokens) return 'never';
      return resumeTokens.canResume && filter.atMessageBoundary ? 'now' : 'later';
    },
    end,
  });
}
