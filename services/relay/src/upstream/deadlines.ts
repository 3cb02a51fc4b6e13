/** How long the phases of a console may take, and intervals, in milliseconds. */
export interface Deadlines {
  /** The machine's status. A node that proxies to one that is down answers 595 only after 30 s. */
  readonly status: number;
  /** vncproxy or termproxy: up to 10 s for Proxmox's port lock, and 5 s until its port listens. */
  readonly console: number;
  /** The WebSocket: less than the 10 s that Proxmox's listener waits. After that, Proxmox may never answer. */
  readonly connect: number;
  /** The first byte after the upgrade. `qm vncproxy` has to start Perl, which takes up to 8 s under load. */
  readonly firstByte: number;
  /** VNC authentication. QEMU's password is valid for 30 s. */
  readonly authenticate: number;
  /** From vncproxy to the end of authentication, including a retry. Limits how long the node's lease is held. */
  readonly dial: number;
  /** The viewer's side of the RFB handshake. */
  readonly viewerHandshake: number;
  /** The viewer's answer to the relay's close frame. After that, the connection is ended without it. */
  readonly closeAnswer: number;
  /** The requests that find out why a console ended. */
  readonly diagnose: number;
  /** Interval of the checks whether an idle console needs a keep-alive message. Proxmox ends it after 15 minutes. */
  readonly keepAlive: number;
  /** After its output has paused for so long, a terminal has taken the input that was sent. */
  readonly inputQuiet: number;
  /** So does a terminal that writes nothing for so long. Programs that read a bracketed paste are silent until its end. */
  readonly inputSilence: number;
  /** If its output never pauses, a terminal gets more input after this time. */
  readonly inputBusy: number;
  /** A terminal that writes nothing for so long after Enter or Ctrl+C does not answer. */
  readonly terminalAnswer: number;
  /** Interval of the pings to a viewer, which keep the connection from being idle for proxies. */
  readonly ping: number;
  /** A shared screen without viewers is kept for so long, because they may reload or resume. */
  readonly unwatchedScreen: number;
}

export const defaultDeadlines: Deadlines = {
  status: 10_000,
  console: 20_000,
  connect: 8000,
  firstByte: 15_000,
  authenticate: 10_000,
  dial: 60_000,
  viewerHandshake: 15_000,
  closeAnswer: 5000,
  diagnose: 5000,
  keepAlive: 5 * 60_000,
  inputQuiet: 100,
  inputSilence: 500,
  inputBusy: 4000,
  terminalAnswer: 15_000,
  ping: 20_000,
  unwatchedScreen: 10_000,
};

/** The deadlines of a terminal's input. */
export type InputDeadlines = Pick<Deadlines, 'inputQuiet' | 'inputSilence' | 'inputBusy' | 'terminalAnswer'>;
