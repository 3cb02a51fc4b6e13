import type { Duplex } from 'node:stream';

/**
 * The machine behind one guest of the fake Proxmox, with a VNC server that asks for a password (RFB 3.8, security type 2
 * only), like QEMU with Proxmox's option `-vnc unix:...,password=on`. There are three implementations: the built-in RFB
 * machine, real QEMU, and TigerVNC's Xvnc.
 */
export interface Guest {
  readonly running: boolean;
  /** Powers on. Resolves when the VNC server accepts connections. Does nothing if the machine runs. */
  start(): Promise<void>;
  /** Powers off at once, which ends all VNC connections. */
  stop(): Promise<void>;
  /** Requests the guest to power off (ACPI). Connections end when it has done so. */
  shutdown(): Promise<void>;
  /** Restarts the guest's system. As with real QEMU, the VNC connections stay open. */
  reset(): Promise<void>;
  /**
   * Replaces the VNC password of this machine (QMP `set_password`). It is valid for `maxSeconds` for *new*
   * authentications (QMP `expire_password`). Only the first 8 bytes count.
   */
  setPassword(password: string, maxSeconds: number): Promise<void>;
  /** Opens a connection to the VNC server, as raw RFB bytes. Rejects if the machine does not run. */
  connect(): Promise<Duplex>;
  /** Calls back whenever the machine stops, for any reason. Returns an unsubscriber. */
  onStopped(listener: () => void): () => void;
  /** Ends the processes and sockets of this guest, and removes its temporary files. Idempotent. */
  close(): Promise<void>;
}
