import type { Clock } from '@porthole/shared/time/clock';
import { Alarm } from './alarm.ts';
import { EncodedCursor } from './encoded-cursor.ts';
import { EncodedTiles, type EncodeJpeg } from './encoded-tiles.ts';
import type { Framebuffer } from './framebuffer.ts';
import type { MachineState } from './machine-state.ts';
import type { PictureServer, PictureServerEvents } from './picture-server-contract.ts';
import { PictureSource } from './picture-source.ts';
import { PictureViewer } from './picture-viewer.ts';
import { QuietTime } from './quiet-time.ts';
import { Thumbnails } from './thumbnails.ts';
import { SharedUpdates } from './shared-updates.ts';
import type { TileCache } from './tile-cache.ts';
import type { Demand } from './update-requests.ts';
import type { Cursor } from './screen-decoder.ts';
import { readViewerMessage } from './viewer-messages.ts';

export interface PictureServerDeps {
  readonly clock: Clock;
  readonly events: PictureServerEvents;
  /** Shared by all screens of a worker. */
  readonly cache: TileCache;
  /** Without it, all pictures are lossless. */
  readonly encodeJpeg?: EncodeJpeg;
  /** Runs what works for viewers, to measure it. */
  readonly measureEncoding?: (run: () => void) => void;
}

/** A picture server whose picture can be read, for example for a thumbnail. */
export interface ReadablePictureServer extends PictureServer {
  /** The last complete picture. It may have a part of the next update. Do not keep it: its memory is reused. */
  readonly picture: Framebuffer | undefined;
}

export function createPictureServer(deps: PictureServerDeps): ReadablePictureServer {
  return new SourceToViewers(deps);
}

/** Joins the machine's side and those of the viewers. */
class SourceToViewers implements ReadablePictureServer {
  readonly #clock: Clock;
  readonly #events: PictureServerEvents;
  readonly #measureEncoding: (run: () => void) => void;
  readonly #viewers = new Map<number, PictureViewer>();
  /** Viewers whose recordings wait for a complete picture. */
  readonly #keyframes = new Set<number>();
  readonly #alarm: Alarm;
  readonly #tiles: EncodedTiles;
  readonly #thumbnails: Thumbnails;
  readonly #quietTime = new QuietTime();
  readonly #source: PictureSource;
  #sizeVersion = 0;
  #resizable = false;
  #cursor: EncodedCursor | undefined;
  #ledState: number | undefined;
  #extendedKeys = false;
  #expectsPicture = false;
  /** A viewer wanted the complete picture. It got the last one, which is outdated if no viewer was waiting for changes. */
  #mayBeOutdated = false;
  #stopped = false;

  constructor({ clock, events, cache, encodeJpeg, measureEncoding }: PictureServerDeps) {
    this.#measureEncoding = measureEncoding ?? ((run) => run());
    this.#clock = clock;
    this.#events = events;
    this.#alarm = new Alarm(clock, () => this.#serve());
    this.#tiles = new EncodedTiles({ cache, encodeJpeg, onReady: () => this.#alarm.setFor(clock.now()) });
    this.#thumbnails = new Thumbnails({
      encodeJpeg,
      send: (id, thumbnail) => events.toThumbnail(id, thumbnail),
      onReady: () => this.#alarm.setFor(clock.now()),
    });
    this.#source = new PictureSource(clock, {
      toMachine: (message) => events.toMachine(message),
      onPicture: (resized) => this.#onPicture(resized),
      onUpdate: () => this.#onUpdate(),
      onFailed: (detail) => events.onMachineFailed(detail),
      onCursor: (cursor) => this.#onCursor(cursor),
      onLedState: (state) => void (this.#ledState = state),
      onExtendedKeys: () => this.#onExtendedKeys(),
      onExtendedDesktopSize: (reason, status) => this.#onExtendedDesktopSize(reason, status),
      onBell: () => events.onBell(),
      onCutText: (text) => events.onCutText(text),
      onClipboard: (flags, body) => events.onClipboard(flags, body),
    });
  }

  get picture(): Framebuffer | undefined {
    return this.#source.picture;
  }

  connect(start: 'authenticated' | 'adopt'): void {
    this.#resizable = false;
    this.#expectsPicture = true;
    this.#source.connect(start);
  }

  disconnect(): void {
    this.#source.disconnect();
  }

  onMachineBytes(chunk: Uint8Array): void {
    this.#source.push(chunk);
  }

  addViewer(id: number, name: string): void {
    const viewer = new PictureViewer(name, this.#tiles);
    this.removeViewer(id);
    this.#viewers.set(id, viewer);
    this.#serveOne(id, viewer);
  }

  onViewerMessage(id: number, message: Uint8Array): void {
    this.#withViewer(id, (viewer) => {
      const read = readViewerMessage(message);
      if (read.type === 'request' && !read.incremental && !viewer.paused) this.#mayBeOutdated = true;
      viewer.onMessage(read);
    });
  }

  setPaused(id: number, paused: boolean): void {
    this.#withViewer(id, (viewer) => void (viewer.paused = paused));
  }

  onResizeAnswered(id: number, status: number): void {
    this.#withViewer(id, (viewer) => viewer.onResizeAnswered(status));
  }

  requestKeyframe(id: number): void {
    this.#withViewer(id, () => void this.#keyframes.add(id));
  }

  removeViewer(id: number): void {
    this.#viewers.get(id)?.release();
    this.#viewers.delete(id);
    this.#keyframes.delete(id);
    this.#thumbnails.remove(id);
  }

  addThumbnail(id: number): void {
    this.#thumbnails.add(id);
  }

  requestThumbnail(id: number): void {
    if (this.#stopped) return;
    this.#thumbnails.request(id);
    const now = this.#clock.now();
    this.#serveThumbnails(this.#machineState(now), now);
    this.#askMachine();
  }

  setThumbnail(id: number, thumbnail: boolean): void {
    this.#withViewer(id, (viewer) => void (viewer.thumbnail = thumbnail));
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
    this.#source.stop();
    this.#thumbnails.stop();
    for (const id of this.#viewers.keys()) this.removeViewer(id);
  }

  #onPicture(resized: boolean): void {
    if (resized) {
      this.#tiles.clear();
      this.#sizeVersion = this.#source.picture?.version ?? 0;
    }
    this.#reportSize();
    if (this.#expectsPicture) this.#events.onPicture();
    this.#expectsPicture = false;
  }

  #onUpdate(): void {
    this.#quietTime.onChange(this.#source.picture?.version ?? 0, this.#clock.now());
    this.#measureEncoding(() => this.#serveFirstThumbnail() || this.#serve());
  }

  #onCursor(cursor: Cursor): void {
    if (!this.#cursor?.shows(cursor)) this.#cursor = new EncodedCursor(cursor);
  }

  #onExtendedKeys(): void {
    this.#extendedKeys = true;
    this.#events.onExtendedKeys();
  }

  #onExtendedDesktopSize(reason: number, status: number): void {
    if (!this.#resizable) {
      this.#resizable = true;
      this.#reportSize();
    }
    if (reason === 1) this.#events.onResizeStatus(status);
  }

  #reportSize(): void {
    const { picture } = this.#source;
    if (!picture) return;
    const { width, height } = picture;
    this.#events.onSize({ width, height, resizable: this.#resizable });
  }

  /** What viewers can get now: nothing while an update of the machine is incomplete. */
  #machineState(now: number): MachineState | undefined {
    const { picture, resizing, consistent } = this.#source;
    if (!picture || !consistent) return undefined;
    return {
      picture,
      resizing,
      sizeVersion: this.#sizeVersion,
      resizable: this.#resizable,
      quietVersion: this.#quietTime.quietVersion(now),
      cursor: this.#cursor,
      ledState: this.#ledState,
      extendedKeys: this.#extendedKeys,
    };
  }

  #serve(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const machine = this.#machineState(now);
    this.#serveThumbnails(machine, now);
    if (machine) this.#serveViewers(machine, this.#viewers, now);
    this.#askMachine();
  }

  /**
   * When a wall opens, many screens begin at once, and the complete picture of a viewer takes longer than all thumbnails. So
   * it comes after what has arrived for other screens.
   */
  #serveFirstThumbnail(): boolean {
    const now = this.#clock.now();
    if (!this.#thumbnails.awaitsFirst) return false;
    this.#serveThumbnails(this.#machineState(now), now);
    this.#alarm.setFor(now);
    return true;
  }

  #serveOne(id: number, viewer: PictureViewer): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const machine = this.#machineState(now);
    if (machine) this.#serveViewers(machine, [[id, viewer]], now);
    this.#askMachine();
  }

  #serveViewers(machine: MachineState, viewers: Iterable<[number, PictureViewer]>, now: number): void {
    const shared = new SharedUpdates();
    const receivers = new Map<readonly Uint8Array[], number[]>();
    for (const [id, viewer] of viewers)
      for (const message of this.#serveViewer(machine, id, viewer, now, shared)) {
        const ids = receivers.get(message);
        if (ids) ids.push(id);
        else receivers.set(message, [id]);
      }
    for (const [message, ids] of receivers) this.#events.toViewers(ids, message);
    for (const id of this.#keyframes) this.#sendKeyframe(id, machine);
  }

  #sendKeyframe(id: number, machine: MachineState): void {
    this.#keyframes.delete(id);
    const { width, height } = machine.picture;
    const bytes = this.#viewers.get(id)?.keyframe(machine);
    if (bytes) this.#events.toRecording(id, { width, height, bytes });
  }

  #serveViewer(machine: MachineState, id: number, viewer: PictureViewer, now: number, shared: SharedUpdates) {
    if (!viewer.initialised) this.#events.toViewers([id], viewer.initialise(machine));
    if (!viewer.waits) return [];
    if (now < viewer.dueAt) {
      this.#alarm.setFor(viewer.dueAt);
      return [];
    }
    const messages = viewer.answer(machine, now, shared);
    if (!viewer.waits) return messages;
    const { encodingUntil, lossy } = viewer;
    if (encodingUntil !== undefined && now < encodingUntil) this.#alarm.setFor(encodingUntil);
    const quietAt = this.#quietTime.nextQuietAt();
    if ((lossy || encodingUntil !== undefined) && quietAt !== undefined) this.#alarm.setFor(quietAt);
    return messages;
  }

  #serveThumbnails(machine: MachineState | undefined, now: number): void {
    const dueAt = machine && this.#thumbnails.serve(machine.picture, now);
    if (dueAt !== undefined) this.#alarm.setFor(dueAt);
  }

  /** Asks the machine for changes, for the viewers that have all that they asked for. */
  #askMachine(): void {
    let demand: Demand = this.#thumbnails.waiting ? 'thumbnail' : 'none';
    for (const { waits, thumbnail } of this.#viewers.values())
      if (waits && demand !== 'full') demand = thumbnail ? 'thumbnail' : 'full';
    const dueAt = this.#source.request(this.#mayBeOutdated ? 'full' : demand);
    if (dueAt === undefined) this.#mayBeOutdated = false;
    else this.#alarm.setFor(dueAt);
  }

  #withViewer(id: number, act: (viewer: PictureViewer) => void): void {
    const viewer = this.#viewers.get(id);
    // Its last messages may cross the news that it has left.
    if (!viewer) return;
    act(viewer);
    if (!this.#serveFirstThumbnail()) this.#serveOne(id, viewer);
  }
}
