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
import type { TileCache } from './tile-cache.ts';
import type { Demand } from './update-requests.ts';
import { readViewerMessage } from './viewer-messages.ts';

export interface PictureServerDeps {
  readonly clock: Clock;
  readonly events: PictureServerEvents;
  /** Shared by all screens of a worker. */
  readonly cache: TileCache;
  /** Without it, all pictures are lossless. */
  readonly encodeJpeg?: EncodeJpeg;
}

/** A picture server whose picture can be read, for example for a thumbnail. */
export interface ReadablePictureServer extends PictureServer {
  /** The last complete picture. It may have a part of the next update. Do not keep it: its memory is reused. */
  readonly picture: Framebuffer | undefined;
}

/** Throws `viewer_protocol` for a message that breaks the protocol; only that viewer must end then. */
export function createPictureServer({
  clock,
  events,
  cache,
  encodeJpeg,
}: PictureServerDeps): ReadablePictureServer {
  const viewers = new Map<number, PictureViewer>();
  const alarm = new Alarm(clock, () => serve());
  const tiles = new EncodedTiles({ cache, encodeJpeg, onReady: () => alarm.setFor(clock.now()) });
  const quietTime = new QuietTime();
  const known = {
    sizeVersion: 0,
    resizable: false,
    cursor: undefined as EncodedCursor | undefined,
    ledState: undefined as number | undefined,
    extendedKeys: false,
  };
  let expectsPicture = false;
  let stopped = false;

  const source = new PictureSource(clock, {
    toMachine: (message) => events.toMachine(message),
    onPicture(resized) {
      const { picture } = source;
      if (resized) {
        tiles.clear();
        known.sizeVersion = picture?.version ?? 0;
      }
      reportSize();
      if (expectsPicture) events.onPicture();
      expectsPicture = false;
    },
    onUpdate() {
      quietTime.onChange(source.picture?.version ?? 0, clock.now());
      serve();
    },
    onFailed: (detail) => events.onMachineFailed(detail),
    onCursor(cursor) {
      if (!known.cursor?.shows(cursor)) known.cursor = new EncodedCursor(cursor);
    },
    onLedState: (state) => void (known.ledState = state),
    onExtendedKeys() {
      known.extendedKeys = true;
      events.onExtendedKeys();
    },
    onExtendedDesktopSize(reason, status) {
      if (!known.resizable) {
        known.resizable = true;
        reportSize();
      }
      if (reason === 1) events.onResizeStatus(status);
    },
    onBell: () => events.onBell(),
    onCutText: (text) => events.onCutText(text),
    onClipboard: (flags, body) => events.onClipboard(flags, body),
  });

  function reportSize(): void {
    if (!source.picture) return;
    const { width, height } = source.picture;
    events.onSize({ width, height, resizable: known.resizable });
  }

  /** What viewers can get now: nothing while an update of the machine is incomplete. */
  function machineState(now: number): MachineState | undefined {
    const { picture, resizing } = source;
    if (!picture || !source.consistent) return undefined;
    return { ...known, picture, resizing, quietVersion: quietTime.quietVersion(now) };
  }

  function serve(): void {
    if (stopped) return;
    const machine = machineState(clock.now());
    if (machine) for (const [id, viewer] of viewers) serveViewer(machine, id, viewer);
    askMachine();
  }

  function serveOne(id: number, viewer: PictureViewer): void {
    const machine = machineState(clock.now());
    if (machine) serveViewer(machine, id, viewer);
    askMachine();
  }

  function serveViewer(machine: MachineState, id: number, viewer: PictureViewer): void {
    if (!viewer.initialised) events.toViewer(id, viewer.initialise(machine));
    if (!viewer.waits) return;
    const now = clock.now();
    if (now < viewer.dueAt) return alarm.setFor(viewer.dueAt);
    for (const message of viewer.answer(machine, now)) events.toViewer(id, message);
    if (!viewer.waits) return;
    if (viewer.encodingUntil !== undefined && now < viewer.encodingUntil) alarm.setFor(viewer.encodingUntil);
    const quietAt = quietTime.nextQuietAt();
    if ((viewer.lossy || viewer.encodingUntil !== undefined) && quietAt !== undefined) alarm.setFor(quietAt);
  }

  /** Asks the machine for changes, for the viewers that have all that they asked for. */
  function askMachine(): void {
    if (stopped) return;
    const waiting = [...viewers.values()].filter((viewer) => viewer.waits);
    const demand: Demand =
      waiting.length === 0 ? 'none' : waiting.every(({ thumbnail }) => thumbnail) ? 'thumbnail' : 'full';
    const dueAt = source.request(demand);
    if (dueAt !== undefined) alarm.setFor(dueAt);
  }

  function withViewer(id: number, act: (viewer: PictureViewer) => void): void {
    const viewer = viewers.get(id);
    // Its last messages may cross the news that it has left.
    if (!viewer) return;
    act(viewer);
    serveOne(id, viewer);
  }

  return {
    get picture() {
      return source.picture;
    },
    connect(start) {
      known.resizable = false;
      expectsPicture = true;
      source.connect(start);
    },
    disconnect: () => source.disconnect(),
    onMachineBytes: (chunk) => source.push(chunk),
    addViewer(id, name) {
      const viewer = new PictureViewer(name, tiles);
      viewers.set(id, viewer);
      serveOne(id, viewer);
    },
    onViewerMessage(id, message) {
      withViewer(id, (viewer) => viewer.onMessage(readViewerMessage(message)));
    },
    setPaused(id, paused) {
      withViewer(id, (viewer) => void (viewer.paused = paused));
    },
    onResizeAnswered(id, status) {
      withViewer(id, (viewer) => viewer.onResizeAnswered(status));
    },
    removeViewer(id) {
      viewers.get(id)?.release();
      viewers.delete(id);
    },
    setThumbnail(id, thumbnail) {
      withViewer(id, (viewer) => void (viewer.thumbnail = thumbnail));
    },
    stop() {
      stopped = true;
      alarm.stop();
      source.stop();
      for (const viewer of viewers.values()) viewer.release();
      viewers.clear();
    },
  };
}
