/** How long each phase of a console may take, in milliseconds. */
export interface Deadlines {
  /** status/current; a node that proxies to one that is off answers 595 only after 30 s. */
  readonly status: number;
  /** vncproxy: up to 10 s for Proxmox's port lock and 5 s until its port listens. */
  readonly console: number;
  /** Less than the 10 s for which Proxmox's listener waits; a refused one may never be answered at all. */
  readonly connect: number;
  /** The first byte after the upgrade: `qm vncproxy` is a Perl start, seen to take 8 s under load. */
  readonly firstByte: number;
  /** VNC authentication; QEMU's password is good for 30 s. */
  readonly authenticate: number;
  /** From vncproxy to the end of authentication, a second try included: how long a node's place may be held. */
  readonly dial: number;
  /** The viewer's side of the RFB handshake. */
  readonly viewerHandshake: number;
  /** Asking Proxmox why a console ended. */
  readonly diagnose: number;
  /** A console on which nothing was carried for so long is kept alive; Proxmox ends it after 15 minutes. */
  readonly keepAlive: number;
  /** How often a viewer is pinged, so that no proxy takes its connection for an idle one. */
  readonly ping: number;
}

export const defaultDeadlines: Deadlines = {
  status: 10_000,
  console: 20_000,
  connect: 8000,
  firstByte: 15_000,
  authenticate: 10_000,
  dial: 60_000,
  viewerHandshake: 15_000,
  diagnose: 5000,
  keepAlive: 5 * 60_000,
  ping: 20_000,
};
