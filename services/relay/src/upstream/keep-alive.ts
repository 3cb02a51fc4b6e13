import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';

/**
 * An incremental FramebufferUpdateRequest for one pixel (RFC 6143 section 7.5.3). Harmless: the viewer has one for
 * the whole screen outstanding already, and QEMU keeps one state for all of them (ui/vnc.c).
 */
export const keepAliveRequest = Buffer.from([3, 1, 0, 0, 0, 0, 0, 1, 0, 1]);

/**
 * Keeps a console alive on which nothing happens. `qm vncproxy` ends one after 15 minutes without a byte in either
 * direction (qemu-server CLI/qm.pm), WebSocket pings don't count, and somebody who reads a still screen sends none.
 * How long a session may be idle is for the grant to say, not for Proxmox.
 */
export function startKeepAlive(deps: {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Bytes carried so far, in both directions. */
  readonly carried: () => number;
  /** Sends to the machine what keeps it alive, if a message may begin here. */
  readonly send: () => void;
}): Cancel {
  const { carried, send } = deps;
  let before = carried();
  return every(deps.clock, deps.everyMs, () => {
    const now = carried();
    if (now === before) send();
    before = now;
  });
}
