import type { Keyframe } from '../stream/keyframe.ts';

/**
 * The messages between the relay's thread and a worker thread that decodes and serves pictures. They travel in batches,
 * in order. All bytes are complete RFB messages, but those of `machineBytes`.
 */
export type ToWorker =
  /** Asks for `checked`, to find out whether the worker still works. */
  | { readonly type: 'check' }
  | { readonly type: 'screen'; readonly screen: number; readonly message: ToPicture };

/** For the picture server of a screen, which the first message creates. */
export type ToPicture =
  /** `connection` marks what the machine of this connection causes, so that a later one does not get it. */
  | { readonly type: 'connect'; readonly connection: number; readonly start: 'authenticated' | 'adopt' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'machineBytes'; readonly bytes: Uint8Array }
  | { readonly type: 'addViewer'; readonly viewer: number; readonly name: string }
  | { readonly type: 'viewerMessage'; readonly viewer: number; readonly bytes: Uint8Array }
  /** The viewer's network does not keep up (true), or does again. */
  | { readonly type: 'pause'; readonly viewer: number; readonly paused: boolean }
  /** The viewer's network has taken so many bytes of `toViewers`. */
  | { readonly type: 'delivered'; readonly viewer: number; readonly bytes: number }
  | { readonly type: 'resizeAnswered'; readonly viewer: number; readonly status: number }
  /** The viewer's recording needs a complete picture. */
  | { readonly type: 'requestKeyframe'; readonly viewer: number }
  /** A viewer, or a consumer of thumbnails, has left. */
  | { readonly type: 'removeViewer'; readonly viewer: number }
  | { readonly type: 'addThumbnail'; readonly viewer: number }
  /** The consumer has taken its last thumbnail, and gets the next one when there is one. */
  | { readonly type: 'requestThumbnail'; readonly viewer: number }
  | { readonly type: 'close' };

export type FromWorker =
  /** The worker runs. Its first message. */
  | { readonly type: 'started' }
  | { readonly type: 'checked'; readonly work: WorkerWork }
  | { readonly type: 'screen'; readonly screen: number; readonly message: FromPicture };

/** What a worker is given when it starts. */
export interface PictureWorkerData {
  /** Limit of the encoded tiles that it keeps, in MiB. */
  readonly tileCacheMiB: number;
}

/** What a worker has done since the last `checked`. */
export interface WorkerWork {
  /** Seconds of CPU for bytes of machines, and for everything else. */
  readonly decodeSeconds: number;
  readonly encodeSeconds: number;
  /** Bytes of encoded tiles that the worker keeps. */
  readonly cacheBytes: number;
}

export type FromPicture =
  /** The viewers share the memory, so it must not be changed. */
  | { readonly type: 'toViewers'; readonly viewers: readonly number[]; readonly bytes: Uint8Array }
  | { readonly type: 'keyframe'; readonly viewer: number; readonly keyframe: Keyframe }
  /** `bytes` is a JPEG file. */
  | {
      readonly type: 'thumbnail';
      readonly viewer: number;
      readonly width: number;
      readonly height: number;
      readonly bytes: Uint8Array;
    }
  /** The worker has handled so many bytes of `viewerMessage`. */
  | { readonly type: 'viewerMessagesTaken'; readonly viewer: number; readonly bytes: number }
  /** A message of the viewer broke the protocol. */
  | { readonly type: 'viewerFailed'; readonly viewer: number; readonly detail: string }
  /** The picture server threw, and has lost its picture and its viewers. */
  | { readonly type: 'failed'; readonly detail: string }
  | { readonly type: 'machine'; readonly connection: number; readonly event: MachineEvent };

/** What the machine of a connection caused. See `PictureServerEvents`. */
export type MachineEvent =
  /** The worker has handled so many bytes of `machineBytes`. */
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'toMachine'; readonly bytes: Uint8Array }
  | { readonly type: 'picture' }
  | { readonly type: 'size'; readonly width: number; readonly height: number; readonly resizable: boolean }
  | { readonly type: 'resizeStatus'; readonly status: number }
  | { readonly type: 'bell' }
  | { readonly type: 'cutText'; readonly text: string }
  | { readonly type: 'clipboard'; readonly flags: number; readonly body: Uint8Array }
  | { readonly type: 'extendedKeys' }
  | { readonly type: 'machineFailed'; readonly detail: string };

/** Bytes of memory that a message takes in the other thread's queue, beside those that it carries. */
export const messageOverhead = 256;
