import type { GrantClaims } from '@porthole/shared/grant/claims';
import type { Clock } from '@porthole/shared/time/clock';
import { captureScreen, type ScreenCapture } from '../recording/capture-screen.ts';
import type { Capture } from '../recording/capture.ts';
import type { Link } from '../stream/link.ts';
import { filterMessages, type UpstreamSide } from '../stream/upstream-side.ts';
import { createClientMessagePolicy, type ClientMessagePolicy } from './client-message-policy.ts';
import { createClipboardPolicy } from './clipboard-policy.ts';
import { createServerClipboardFilter } from './server-clipboard-filter.ts';
import { createUpdateRateLimiter } from './update-rate-limiter.ts';

/** Applies a grant to the messages of a screen, in both directions. Costs nothing in sessions without restrictions. */
export interface ScreenPolicy {
  readonly clientMessages: ClientMessagePolicy;
  /** See ClientMessageFilterOptions. */
  readonly onCutText: ScreenCapture['onCutText'];
  /** The machine's side, without what the viewer must not receive. */
  filterUpstream(side: UpstreamSide): UpstreamSide;
  stop(): void;
}

const noClipboard = createClipboardPolicy('none');

/** One for all sessions without restrictions. */
const unrestricted: ScreenPolicy = {
  clientMessages: (message) => message,
  onCutText: undefined,
  filterUpstream: (side) => side,
  stop() {},
};

export function createScreenPolicy(deps: {
  readonly clock: Clock;
  readonly claims: Pick<GrantClaims, 'clipboard' | 'updatesPerSecond'>;
  /** Sends a message of the relay to the machine. Returns false if none may begin now. */
  readonly send: (message: Buffer) => boolean;
  readonly capture?: Capture | undefined;
  /** Of the machine's link. */
  readonly requestKeyframe?: Link['requestKeyframe'];
}): ScreenPolicy {
  const { clock, claims, send, capture, requestKeyframe } = deps;
  if (!capture && claims.updatesPerSecond === undefined && (claims.clipboard ?? 'both') === 'both')
    return unrestricted;
  const clipboard = createClipboardPolicy(claims.clipboard);
  const filtersViewer = !clipboard.textOut;
  // A recording needs a stream that its thread can parse, like a viewer that must not receive text.
  const serverClipboard =
    filtersViewer || capture
      ? createServerClipboardFilter(filtersViewer ? clipboard : noClipboard)
      : undefined;
  const recorded = capture && captureScreen(capture, { clock, requestKeyframe });
  const rateLimiter =
    claims.updatesPerSecond === undefined
      ? undefined
      : createUpdateRateLimiter({ clock, perSecond: claims.updatesPerSecond, send });
  const clientMessages = createClientMessagePolicy({ clipboard, serverClipboard, rateLimiter });
  return {
    clientMessages: recorded ? recorded.clientMessages(clientMessages) : clientMessages,
    onCutText: recorded?.onCutText,
    filterUpstream(side) {
      const filtered =
        filtersViewer && serverClipboard ? filterMessages(side, serverClipboard.serverMessages) : side;
      return recorded ? recorded.upstream(filtered) : filtered;
    },
    stop: () => rateLimiter?.stop(),
  };
}
