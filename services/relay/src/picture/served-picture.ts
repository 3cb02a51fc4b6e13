import { PortholeError } from '@porthole/shared/errors';
import type { Clock } from '@porthole/shared/time/clock';
import { concatBytes } from './concat-bytes.ts';
import type { PictureServer, PictureServerEvents } from './picture-server-contract.ts';
import type { FromPicture, MachineEvent, ToPicture } from './worker-messages.ts';

export type CreatePictureServer = (
  events: PictureServerEvents,
  deps: {
    readonly clock: Clock;
    /** Must run what works for viewers, also while the machine's bytes are handled. */
    readonly measureEncoding: (run: () => void) => void;
  },
) => PictureServer;

/** A viewer gets nothing while more bytes than this are on their way to it, because updates may be large and many. */
const maxUndelivered = 1024 * 1024;

interface ServedViewer {
  undelivered: number;
  /** Its network does not keep up. */
  paused: boolean;
}

/**
 * The picture server of one screen in a worker thread. If it throws, only this screen loses its picture: it says so once,
 * and ignores what follows until the relay closes it.
 */
export class ServedPicture {
  readonly #server: PictureServer;
  readonly #post: (message: FromPicture, transfer?: ArrayBuffer) => void;
  readonly #measure: (kind: 'decodeSeconds' | 'encodeSeconds', run: () => void) => void;
  readonly #viewers = new Map<number, ServedViewer>();
  /** Viewers that get nothing until more is delivered. The server is told when it has returned. */
  readonly #full = new Set<number>();
  #connection = 0;
  #failed = false;

  constructor(
    createServer: CreatePictureServer,
    deps: {
      readonly clock: Clock;
      readonly measure: (kind: 'decodeSeconds' | 'encodeSeconds', run: () => void) => void;
      /** Sends a message to the relay's thread. */
      readonly post: (message: FromPicture, transfer?: ArrayBuffer) => void;
    },
  ) {
    this.#post = deps.post;
    this.#measure = deps.measure;
    const clock: Clock = {
      now: () => deps.clock.now(),
      after: (ms, fn) => deps.clock.after(ms, () => this.#guard('encodeSeconds', fn)),
    };
    const measureEncoding = (run: () => void) => this.#measure('encodeSeconds', run);
    this.#server = createServer(this.#events(), { clock, measureEncoding });
  }

  onMessage(message: ToPicture): void {
    this.#guard(message.type === 'machineBytes' ? 'decodeSeconds' : 'encodeSeconds', () =>
      this.#handle(message),
    );
  }

  stop(): void {
    this.#guard('encodeSeconds', () => this.#server.stop());
    this.#failed = true;
  }

  #guard(kind: 'decodeSeconds' | 'encodeSeconds', run: () => void): void {
    if (this.#failed) return;
    try {
      this.#measure(kind, () => {
        run();
        this.#pauseFull();
      });
    } catch (error) {
      this.#failed = true;
      this.#post({ type: 'failed', detail: String(error instanceof Error ? error.stack : error) });
      this.#stopFailed();
    }
  }

  /** Releases what a server that threw still holds. It may throw again. */
  #stopFailed(): void {
    try {
      this.#server.stop();
    } catch {
      // The first error was reported.
    }
  }

  #handle(message: ToPicture): void {
    const server = this.#server;
    switch (message.type) {
      case 'connect':
        this.#connection = message.connection;
        return server.connect(message.start);
      case 'disconnect':
        return server.disconnect();
      case 'machineBytes':
        server.onMachineBytes(message.bytes);
        return this.#postEvent({ type: 'taken', bytes: message.bytes.length });
      case 'addViewer':
        this.#viewers.set(message.viewer, { undelivered: 0, paused: false });
        return server.addViewer(message.viewer, message.name);
      case 'viewerMessage':
        return this.#onViewerMessage(message.viewer, message.bytes);
      case 'pause':
        return this.#onPause(message.viewer, message.paused);
      case 'delivered':
        return this.#onDelivered(message.viewer, message.bytes);
      case 'resizeAnswered':
        return server.onResizeAnswered(message.viewer, message.status);
      case 'requestKeyframe':
        return server.requestKeyframe(message.viewer);
      case 'removeViewer':
        this.#viewers.delete(message.viewer);
        return server.removeViewer(message.viewer);
      case 'addThumbnail':
        return server.addThumbnail(message.viewer);
      case 'requestThumbnail':
        return server.requestThumbnail(message.viewer);
      case 'close':
        return this.stop();
    }
  }

  #onViewerMessage(viewer: number, bytes: Uint8Array): void {
    try {
      this.#server.onViewerMessage(viewer, bytes);
    } catch (error) {
      if (!(error instanceof PortholeError) || error.code !== 'viewer_protocol') throw error;
      this.#post({ type: 'viewerFailed', viewer, detail: error.detail ?? error.message });
    }
    this.#post({ type: 'viewerMessagesTaken', viewer, bytes: bytes.length });
  }

  #pauseFull(): void {
    for (const id of this.#full) {
      this.#full.delete(id);
      const viewer = this.#viewers.get(id);
      if (viewer && !viewer.paused && viewer.undelivered > maxUndelivered) this.#server.setPaused(id, true);
    }
  }

  #onPause(id: number, paused: boolean): void {
    const viewer = this.#viewers.get(id);
    if (!viewer || viewer.paused === paused) return;
    viewer.paused = paused;
    if (viewer.undelivered <= maxUndelivered) this.#server.setPaused(id, paused);
  }

  #onDelivered(id: number, bytes: number): void {
    const viewer = this.#viewers.get(id);
    if (!viewer) return;
    const wasFull = viewer.undelivered > maxUndelivered;
    viewer.undelivered -= bytes;
    if (wasFull && viewer.undelivered <= maxUndelivered && !viewer.paused) this.#server.setPaused(id, false);
  }

  #toViewers(ids: readonly number[], message: readonly Uint8Array[]): void {
    const viewers = ids.filter((id) => this.#viewers.has(id));
    if (viewers.length === 0) return;
    // One copy, which moves to the relay's thread: the server keeps the parts for other viewers.
    const bytes = concatBytes(message);
    for (const id of viewers) {
      const viewer = this.#viewers.get(id);
      if (!viewer) continue;
      viewer.undelivered += bytes.length;
      if (viewer.undelivered > maxUndelivered) this.#full.add(id);
    }
    this.#post({ type: 'toViewers', viewers, bytes }, bytes.buffer);
  }

  #postEvent(event: MachineEvent): void {
    this.#post({ type: 'machine', connection: this.#connection, event });
  }

  #events(): PictureServerEvents {
    const post = (event: MachineEvent) => this.#postEvent(event);
    return {
      toViewers: (viewers, message) => this.#toViewers(viewers, message),
      toRecording: (viewer, keyframe) => this.#post({ type: 'keyframe', viewer, keyframe }),
      toThumbnail: (viewer, { width, height, image }) => {
        const bytes = new Uint8Array(image);
        this.#post({ type: 'thumbnail', viewer, width, height, bytes }, bytes.buffer);
      },
      // A copy, because a message may be a constant or part of larger memory.
      toMachine: (message) => post({ type: 'toMachine', bytes: new Uint8Array(message) }),
      onPicture: () => post({ type: 'picture' }),
      onSize: (size) => post({ type: 'size', ...size }),
      onResizeStatus: (status) => post({ type: 'resizeStatus', status }),
      onBell: () => post({ type: 'bell' }),
      onCutText: (text) => post({ type: 'cutText', text }),
      onClipboard: (flags, body) => post({ type: 'clipboard', flags, body: new Uint8Array(body) }),
      onExtendedKeys: () => post({ type: 'extendedKeys' }),
      onMachineFailed: (detail) => post({ type: 'machineFailed', detail }),
    };
  }
}
