import type { Duplex } from 'node:stream';

/**
 * What stands behind one guest of the fake Proxmox: a machine with a VNC server that asks for a password
 * (RFB 3.8, security type 2 only), as QEMU does when Proxmox starts it with `-vnc unix:...,password=on`.
 * Three implementations: the built-in RFB machine, real QEMU, TigerVNC's Xvnc.
 */
export interface Guest {
  readonly running: boolean;
  /** Powers on. Resolves when the VNC server accepts connections. Does nothing when it runs already. */
  start(): Promise<void>;
  /** Pulls the plug: every VNC connection ends at once. */
  stop(): Promise<void>;
  /** Asks the guest to power off by itself (ACPI); connections end when it has. */
  shutdown(): Promise<void>;
  /** Restarts the guest's system. As with real QEMU the VNC connections stay open. */
  reset(): Promise<void>;
  /**
   * Sets the one VNC password of this machine, overwriting the one before (QMP `set_password`), valid for
   * `maxSeconds` for *new* authentications (QMP `expire_password`). Only the first 8 bytes count.
   */
  setPassword(password: string, maxSeconds: number): Promise<void>;
  /** One new connection to the VNC server, as raw RFB bytes. Rejects when the machine does not run. */
  connect(): Promise<Duplex>;
  /** Calls back whenever the machine went from running to stopped, by whatever cause. Returns an unsubscriber. */
  onStopped(listener: () => void): () => void;
  /** Ends everything that this guest started: processes, sockets, temporary files. Idempotent. */
  close(): Promise<void>;
}
