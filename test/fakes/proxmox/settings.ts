import type { Delay } from './delay.ts';

/** Settings of a fake cluster. Defaults are Proxmox's own values, unless those are too slow for tests. */
export interface Settings {
  /** Before ('old') or after ('new') the console hardening of April 2026: qemu-server 9.1.7, pve-container 6.1.3. */
  readonly mode: 'new' | 'old';
  /**
   * What an exception in one of pveproxy's socket callbacks does. With libev it is logged and the connection is left
   * hanging; with the pure-Perl loop the worker process ends and takes all of its connections along.
   */
  readonly eventLoop: 'ev' | 'perl';
  /** pveproxy worker processes of a node; connections are assigned round robin. */
  readonly pveproxyWorkers: number;
  /** pvedaemon worker processes of a node: the number of concurrent console openings. Others are queued. */
  readonly pvedaemonWorkers: number;
  readonly portRange: { readonly from: number; readonly to: number };
  /** Delay of each 401 response, from the start of the request. */
  readonly unauthorizedDelayMs: number;
  readonly keepAliveMs: number;
  /** How long a console port waits for its client. vncterm waits twice as long. */
  readonly listenerWindowMs: number;
  readonly reservationMs: number;
  /** Between the 101 and the first byte: the start of `qm vncproxy`, a Perl program (seconds on a real host). */
  readonly qmStartMs: Delay;
  /** Added to it if the guest is on another node than the one that received the call. */
  readonly sshMs: number;
  /**
   * Time after which `qm vncproxy` ends, without a byte, if QEMU hangs or has no VNC server (`vga: none`). Seen: 5.7 s,
   * and 25 to 29 s.
   */
  readonly vncSilenceMs: number;
  /** The duration of a vncproxy or termproxy call. */
  readonly vncproxyMs: Delay;
  /** Minimum duration of a task that starts or stops a guest. */
  readonly powerMs: number;
  /** How often pvestatd refreshes status and name in /cluster/resources. 0: always current. */
  readonly statusRefreshMs: number;
  /** How long a call for a dead node takes until its 595. */
  readonly offlineProxyMs: number;
  /** With the pure-Perl loop: between the exception and the end of the worker. */
  readonly workerDeathMs: number;
  /** `qm vncproxy` ends after so long without a byte in either direction. */
  readonly idleSeconds: number;
}

export const defaultSettings: Settings = {
  mode: 'new',
  eventLoop: 'ev',
  pveproxyWorkers: 3,
  pvedaemonWorkers: 3,
  portRange: { from: 5900, to: 5999 },
  unauthorizedDelayMs: 3000,
  keepAliveMs: 5000,
  listenerWindowMs: 10_000,
  reservationMs: 5000,
  qmStartMs: 30,
  sshMs: 0,
  vncSilenceMs: 5700,
  vncproxyMs: 10,
  powerMs: 0,
  statusRefreshMs: 10_000,
  offlineProxyMs: 3000,
  workerDeathMs: 5000,
  idleSeconds: 900,
};
