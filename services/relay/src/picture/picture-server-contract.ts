import type { Keyframe } from '../stream/keyframe.ts';
import type { ThumbnailImage } from './thumbnails.ts';

/** What a picture server asks of its surroundings. All bytes are complete RFB messages. */
export interface PictureServerEvents {
  /**
   * A message for one or several viewers: ServerInit, a colour map, or an update with what the viewers lack. Later
   * messages have the same memory, so it must be copied, not transferred or changed. Must not call the server.
   */
  toViewers(viewers: readonly number[], message: readonly Uint8Array[]): void;
  /** The complete picture for the recording of a viewer that asked for it. */
  toRecording(viewer: number, keyframe: Keyframe): void;
  /** A thumbnail for a consumer that has requested it. The same holds for its memory. */
  toThumbnail(consumer: number, thumbnail: ThumbnailImage): void;
  /** A message for the machine: the pixel format, the encodings, or a request for an update. */
  toMachine(message: Uint8Array): void;
  /** The first complete picture since `connect` has arrived. */
  onPicture(): void;
  /** The machine's size, and whether it accepts other sizes (ExtendedDesktopSize). */
  onSize(size: { readonly width: number; readonly height: number; readonly resizable: boolean }): void;
  /** The machine has answered a request for another size (ExtendedDesktopSize, status). */
  onResizeStatus(status: number): void;
  onBell(): void;
  onCutText(text: string): void;
  onClipboard(flags: number, body: Uint8Array): void;
  /** The machine accepts QEMU's extended key events. */
  onExtendedKeys(): void;
  /** The machine broke the protocol, or sent nothing that the server can use. Call `connect` before anything else. */
  onMachineFailed(detail: string): void;
}

/**
 * Decodes the picture of one machine and serves it to any number of viewers, each at its own pace. Runs in a worker
 * thread, but knows nothing of threads. Methods are called in the order in which messages arrive.
 */
export interface PictureServer {
  /**
   * A console is connected: one that expects ClientInit, or with `adopt`, one that has streamed to a viewer before and
   * is between two client messages. That viewer must have had noVNC's pixel format and Tight as its first encoding:
   * QEMU may have an update in it on its way, which is passed over in Tight, but would show wrong colours in Raw or
   * Hextile for a moment. The last picture stays, and so do the viewers.
   */
  connect(start: 'authenticated' | 'adopt'): void;
  /** The console was lost. The last picture is served until the next one connects. */
  disconnect(): void;
  onMachineBytes(chunk: Uint8Array): void;
  /** A viewer that has sent ClientInit. It gets ServerInit as soon as there is a picture. */
  addViewer(viewer: number, name: string): void;
  /**
   * SetPixelFormat, SetEncodings or FramebufferUpdateRequest: one complete message, checked for its length only. Throws
   * `viewer_protocol` for one that breaks the protocol. Then remove that viewer; the others are not affected.
   */
  onViewerMessage(viewer: number, message: Uint8Array): void;
  /** A viewer whose network does not keep up gets nothing until it does. */
  setPaused(viewer: number, paused: boolean): void;
  /** Its request for another size was answered by the machine (ExtendedDesktopSize, status). */
  onResizeAnswered(viewer: number, status: number): void;
  /**
   * The viewer's recording gets the complete picture, in the form of the viewer's tiles. It may be newer than what the
   * viewer has, which gets the same later. Nothing comes if it is large, or while the viewer has another size.
   */
  requestKeyframe(viewer: number): void;
  /** Or a consumer of thumbnails. */
  removeViewer(viewer: number): void;
  /** A consumer of thumbnails. Its number is no viewer's. */
  addThumbnail(consumer: number): void;
  /**
   * The consumer gets one thumbnail: as soon as there is one that it has not got, and no more than one per second. Until
   * then, the machine is asked for changes every two seconds, if no viewer needs them more often.
   */
  requestThumbnail(consumer: number): void;
  /** Whether a viewer needs a full frame rate, or at most one update every two seconds. Default: full. */
  setThumbnail(viewer: number, thumbnail: boolean): void;
  stop(): void;
}
