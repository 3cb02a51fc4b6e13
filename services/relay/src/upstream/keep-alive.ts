import { every, type Cancel, type Clock } from '@porthole/shared/time/clock';

/**
 * Keeps an idle console open. `qm vncproxy` ends one after 15 minutes without a byte in either direction (qemu-server
 * CLI/qm.pm). WebSocket pings don't count, and a viewer of a still screen sends nothing. The grant limits how long a
 * session may be idle, not Proxmox.
 */
export function startKeepAlive(
  { clock, everyMs }: { readonly clock: Clock; readonly everyMs: number },
  console: IdleConsole,
): Cancel {
  let forwardedBefore = console.forwarded;
  return every(clock, everyMs, () => {
    if (console.forwarded === forwardedBefore) console.sendKeepAlive();
    forwardedBefore = console.forwarded;
  });
}

export interface IdleConsole {
  /** Bytes forwarded so far, in both directions. */
  readonly forwarded: number;
  /** Sends the keep-alive message to the machine, if a message may begin now. */
  sendKeepAlive(): void;
}
