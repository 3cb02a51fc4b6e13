import type { PortholeError } from '@porthole/shared/errors';
import type { TakeLeftover } from '../stream/run-handshake.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';

/** A console at Proxmox that a shared screen takes over and owns from then on. */
export interface ScreenUpstream {
  readonly link: MachineLink;
  readonly takeLeftover: TakeLeftover;
  /** `authenticated`: it expects ClientInit. `adopt`: it has streamed to a viewer and is between two client messages. */
  readonly start: 'authenticated' | 'adopt';
}

export interface SharedScreenEvents {
  /**
   * The console was lost or useless, with the error if it broke. The viewers and the last picture stay. Called only
   * after its first picture; before, the promise of `connect` rejects instead.
   */
  onUpstreamLost(error: PortholeError | undefined): void;
  /** The number of attached viewers has changed. */
  onViewers(count: number): void;
}

export interface ScreenViewerOptions {
  /** Whether the viewer may send input, set the clipboard and resize. Can be changed while it is attached. */
  readonly control: boolean;
}

/** A viewer's place at a shared screen. `link` behaves like a machine that has authenticated and expects ClientInit. */
export interface ScreenViewer {
  readonly link: MachineLink;
  /** Releases the keys and buttons that the viewer holds before it takes control away. */
  setControl(control: boolean): void;
}

/** The picture of one machine in this relay, its console, and its viewers. Main thread. */
export interface SharedScreen {
  /** With the consumers of thumbnails. */
  readonly viewers: number;
  readonly thumbnails: number;
  /**
   * Takes the place of the console before, if there is one. Resolves when the first complete picture has arrived. Rejects
   * if the console is lost before, or the screen stops, with `screen_full` at the limit of megapixels.
   */
  connect(upstream: ScreenUpstream): Promise<void>;
  /** Adds a viewer. Throws `screen_full` at the limit. Its link ends when `end` is called or the viewer's side destroys it. */
  attach(options: ScreenViewerOptions): ScreenViewer;
  /** Adds a consumer of thumbnails (thumbnail-frames.ts). Throws `screen_full` at the limit. */
  attachThumbnail(): MachineLink;
  /** Ends all viewers with this error (undefined: like a console that Proxmox closed) and releases everything. */
  end(error?: PortholeError): void;
}
