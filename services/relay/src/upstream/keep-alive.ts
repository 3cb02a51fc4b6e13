import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';

/**
 * Keeps an idle console open. `qm vncproxy` ends one after 15 minutes without a byte in either direction (qemu-server
 * CLI/qm.pm). WebSocket pings don't count, and a viewer of a still screen sends nothing. The grant limits how long a
 * session may be idle, not Proxmox.
 */
export function startKeepAlive(deps: {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Bytes forwarded so far, in both directions. */
  readonly forwarded: () => number;
  /** Sends the keep-alive message to the machine, if a message may begin now. */
  readonly send: () => void;
}): Cancel {
  const { forwarded, send } = deps;
  let forwardedBefore = forwarded();
  return every(deps.clock, deps.everyMs, () => {
    const now = forwarded();
    if (now === forwardedBefore) send();
    forwardedBefore = now;
  });
}
