import type { ConsoleProtocol, ConsoleProtocolDeps } from '../stream/console-protocol.ts';
import { createClientMessageFilter } from './client-messages.ts';
import { watchFirstPicture } from './first-picture.ts';
import { sharedClientInit } from './handshake.ts';
import { createScreenPolicy } from './screen-policy.ts';

/**
 * An incremental FramebufferUpdateRequest for one pixel (RFC 6143 section 7.5.3). Harmless: the viewer has one for
 * the whole screen outstanding already, and QEMU keeps one state for all of them (ui/vnc.c).
 */
export const keepAliveRequest = Buffer.from([3, 1, 0, 0, 0, 0, 0, 1, 0, 1]);

/** A screen: RFB in both directions. */
export function createScreenProtocol(deps: ConsoleProtocolDeps): ConsoleProtocol {
  const { clock, claims, dialled, send, onHumanInput, onPicture } = deps;
  const policy = createScreenPolicy({ clock, claims, send });
  return {
    filter: createClientMessageFilter({ viewOnly: claims.mode === 'view', onHumanInput, rule: policy.rule }),
    machine: policy.read(watchFirstPicture(dialled, onPicture)),
    initialMessage: sharedClientInit,
    keepAlive: keepAliveRequest,
    stop: () => policy.stop(),
  };
}
