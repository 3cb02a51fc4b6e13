import type { Framebuffer } from '@porthole/relay/screen/framebuffer';
import type { PictureServer, PictureServerEvents } from '@porthole/relay/screen/picture-server-contract';
import { ScreenDecoder, setPixelFormat, supportedEncodings } from '@porthole/relay/screen/screen-decoder';
import { u16, u32 } from '../rfb/bytes.ts';

interface Viewer {
  readonly name: string;
  initialised: boolean;
  requested: boolean;
  hasVersion: number;
  paused: boolean;
}

/** A picture server that sends complete pictures in Raw. */
export function createStandInServer(events: PictureServerEvents): PictureServer {
  const viewers = new Map<number, Viewer>();
  let framebuffer: Framebuffer | undefined;
  let decoder: ScreenDecoder | undefined;
  let complete = false;

  const request = (incremental: number) =>
    framebuffer &&
    events.toMachine(
      Buffer.concat([Buffer.of(3, incremental, 0, 0, 0, 0), u16(framebuffer.width), u16(framebuffer.height)]),
    );

  function serve(id: number, viewer: Viewer): void {
    if (!framebuffer || !complete) return;
    const { width, height, pixels, version } = framebuffer;
    if (!viewer.initialised) {
      viewer.initialised = true;
      events.toViewer(id, [
        u16(width),
        u16(height),
        setPixelFormat.subarray(4),
        u32(viewer.name.length),
        Buffer.from(viewer.name),
      ]);
    }
    if (!viewer.requested || viewer.paused || viewer.hasVersion === version) return;
    viewer.requested = false;
    viewer.hasVersion = version;
    events.toViewer(id, [
      Buffer.of(0, 0, 0, 1, 0, 0, 0, 0),
      u16(width),
      u16(height),
      u32(0),
      new Uint8Array(pixels.buffer.slice(0)),
    ]);
  }

  const serveAll = () => {
    for (const [id, viewer] of viewers) serve(id, viewer);
  };

  return {
    connect(start) {
      complete = false;
      for (const viewer of viewers.values()) viewer.hasVersion = -1;
      decoder = new ScreenDecoder({
        onResize(resized) {
          framebuffer = resized;
          events.onSize({ width: resized.width, height: resized.height, resizable: true });
          events.toMachine(setPixelFormat);
          events.toMachine(
            Buffer.concat([
              Buffer.of(2, 0),
              u16(supportedEncodings.length),
              ...supportedEncodings.map((each) => u32(each)),
            ]),
          );
          request(0);
        },
        onUpdate() {
          if (!complete) events.onPicture();
          complete = true;
          serveAll();
          request(1);
        },
        onCursor: () => {},
        onBell: events.onBell,
        onCutText: events.onCutText,
        onClipboard: events.onClipboard,
        onLedState: () => {},
        onExtendedKeys: events.onExtendedKeys,
      });
      if (start === 'authenticated') events.toMachine(Buffer.of(1));
    },
    disconnect: () => void (decoder = undefined),
    onMachineBytes(chunk) {
      try {
        decoder?.push(chunk);
      } catch (error) {
        decoder = undefined;
        events.onMachineFailed(String(error));
      }
    },
    addViewer(id, name) {
      const viewer = { name, initialised: false, requested: false, hasVersion: -1, paused: false };
      viewers.set(id, viewer);
      serve(id, viewer);
    },
    onViewerMessage(id, message) {
      const viewer = viewers.get(id);
      if (!viewer) return;
      if (message[0] !== 3) return;
      viewer.requested = true;
      if (message[1] === 0) viewer.hasVersion = -1;
      serve(id, viewer);
    },
    setPaused(id, paused) {
      const viewer = viewers.get(id);
      if (!viewer) return;
      viewer.paused = paused;
      serve(id, viewer);
    },
    onResizeAnswered: () => {},
    removeViewer: (id) => void viewers.delete(id),
    setThumbnail: () => {},
    stop: () => viewers.clear(),
  };
}
