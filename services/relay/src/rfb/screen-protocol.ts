import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import { ClientMessageFilter } from './client-message-filter.ts';
import { detectFirstPicture } from './detect-first-picture.ts';
import { sharedClientInit } from './handshake-constants.ts';
import { createScreenPolicy } from './screen-policy.ts';

/**
 * An incremental FramebufferUpdateRequest for one pixel (RFC 6143 section 7.5.3). It has no effect, because the viewer
 * has one outstanding for the whole screen, and QEMU keeps one state for all requests (ui/vnc.c).
 */
export const keepAliveRequest = Buffer.from([3, 1, 0, 0, 0, 0, 0, 1, 0, 1]);

/** The protocol of a screen: RFB in both directions. */
export function createScreenProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { clock, claims, upstream, send, gate, onHumanInput, onPicture, capture } = deps;
  const { link } = upstream;
  const requestKeyframe = link.requestKeyframe?.bind(link);
  const policy = createScreenPolicy({ clock, claims, send, capture, requestKeyframe });
  const filter = new ClientMessageFilter({
    viewOnly: claims.mode === 'view',
    gate,
    onHumanInput,
    policy: policy.clientMessages,
    onCutText: policy.onCutText,
  });
  return {
    filter,
    upstream: policy.filterUpstream(detectFirstPicture(upstream, onPicture)),
    initialMessage: sharedClientInit,
    keepAlive: keepAliveRequest,
    withdrawInput() {
      // Within a long message, the filter does it behind the message.
      if (filter.atMessageBoundary) for (const message of filter.releaseHeld()) send(message);
    },
    stop: () => policy.stop(),
  };
}
