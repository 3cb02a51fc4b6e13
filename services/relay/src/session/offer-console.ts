import type { PortholeError } from '@porthole/shared/errors';
import type { ConsoleProtocol } from '../stream/console-protocol.ts';
import type { DialledConsole, StreamingSession } from '../upstream/dial.ts';
import type { ResumeTokens } from './resume-tokens.ts';

/**
 * Offers the console that a session streams to a shared screen. It can be taken over between two messages of the viewer,
 * if the viewer has a token with which it resumes. Viewers without control messages never have one. Before it ends, the
 * session releases the keys and buttons that its viewer holds: the machine would not learn that another connection has
 * released them.
 */
export function offerConsole(
  dialled: DialledConsole,
  protocol: OfferedConsole['protocol'],
  session: OfferedConsole['session'],
): void {
  dialled.onStreaming?.(new OfferedConsole(protocol, session));
}

class OfferedConsole implements StreamingSession {
  readonly protocol: Pick<ConsoleProtocol, 'filter' | 'withdrawInput'>;
  readonly session: {
    readonly signal: AbortSignal;
    readonly tokens: Pick<ResumeTokens, 'canResumeNow'> | undefined;
    readonly end: (error: PortholeError) => void;
  };

  constructor(protocol: OfferedConsole['protocol'], session: OfferedConsole['session']) {
    this.protocol = protocol;
    this.session = session;
  }

  handsOver(): ReturnType<StreamingSession['handsOver']> {
    const { signal, tokens } = this.session;
    if (signal.aborted || !tokens) return 'never';
    return tokens.canResumeNow && this.protocol.filter.atMessageBoundary ? 'now' : 'later';
  }

  end(error: PortholeError): void {
    this.protocol.withdrawInput();
    this.session.end(error);
  }
}
