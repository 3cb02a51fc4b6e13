import RFB, { type RawChannel } from '@novnc/novnc';
import type { RecordingRecord } from '@porthole/shared/recording/record/record';
import { labelElement } from '../../language/label-element.ts';
import type { Surface, SurfaceEvents } from '../playback/surface.ts';
import { inflateWhole } from './whole-inflater.ts';

/**
 * While noVNC decodes pictures such as JPEG in the background, it keeps what it gets, and fails at 40 MB. Nothing of its
 * interface tells when that is over.
 */
const flushingProperty = '_flushing';
const isFlushing = (rfb: RFB | undefined) =>
  (rfb as unknown as Readonly<Record<string, unknown>> | undefined)?.[flushingProperty] === true;

/**
 * noVNC shows each update at once, for which the browser copies the whole picture. Between two times, it only keeps track
 * of what has changed, and shows it at the end: an hour takes a tenth of the time.
 */
const displayProperty = '_display';
interface NovncDisplay {
  flip(fromQueue?: boolean): void;
}
const displayOf = (rfb: RFB | undefined) =>
  (rfb as unknown as Readonly<Record<string, NovncDisplay>> | undefined)?.[displayProperty];

function holdBackFrames(rfb: RFB | undefined): void {
  const display = displayOf(rfb);
  if (display) display.flip = () => {};
}

function showFrames(rfb: RFB | undefined): void {
  const display = displayOf(rfb);
  if (!display || !Object.hasOwn(display, 'flip')) return;
  // The method of its class is there again.
  Reflect.deleteProperty(display, 'flip');
  display.flip();
}

/** The pixel format that noVNC sets and assumes: 32 bits, depth 24, little endian, true colour, red first. */
const novncFormat = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16];
const greeting = 'RFB 003.008\n';
const noSecurity = [1, 1];
const securityAccepted = [0, 0, 0, 0];

/** Shows the screen of a recording with noVNC, which reads the recorded bytes as if they came from the machine. */
export function createScreenSurface(
  target: HTMLElement,
  frozen: HTMLCanvasElement,
  events: SurfaceEvents,
): Surface {
  let rfb: RFB | undefined;
  let channel: ReplayChannel | undefined;
  let hasScreen = false;
  /** The stream has a hole, so what follows cannot be decoded. */
  let isLost = false;
  let isFrozen = false;

  function close(): void {
    const old = rfb;
    rfb = undefined;
    channel = undefined;
    hasScreen = false;
    old?.disconnect();
  }

  function connect(serverInit: Uint8Array): void {
    close();
    const opened = createReplayChannel();
    channel = opened;
    const created = new RFB(target, opened, { shared: true });
    inflateWhole(created);
    if (isFrozen) holdBackFrames(created);
    rfb = created;
    created.viewOnly = true;
    created.scaleViewport = true;
    created.resizeSession = false;
    created.background = 'transparent';
    created.addEventListener('disconnect', () => {
      // After close() this event only confirms it.
      if (rfb === created) events.onFailed('stream');
    });
    const canvas = target.querySelector('canvas');
    canvas?.setAttribute('role', 'img');
    labelElement(canvas, 'screen.label');
    canvas?.setAttribute('tabindex', '-1');
    for (const bytes of [new TextEncoder().encode(greeting), noSecurity, securityAccepted, serverInit])
      opened.deliver(Uint8Array.from(bytes));
  }

  function deliver(bytes: Uint8Array): void {
    hasScreen = true;
    channel?.deliver(bytes.slice());
  }

  return {
    reset() {
      isLost = false;
      close();
    },
    apply(record: RecordingRecord) {
      if (record.type === 'init') {
        isLost = false;
        connect(record.bytes);
      } else if (record.type === 'format') {
        if (novncFormat.some((value, index) => record.bytes[index] !== value)) events.onFailed('format');
      } else if (record.type === 'screen') {
        if (!isLost) deliver(record.bytes);
      } else if (record.type === 'keyframe' && (!hasScreen || isLost)) {
        if (!rfb || isLost) connect(serverInitOf(record.width, record.height));
        isLost = false;
        deliver(record.bytes);
      }
    },
    lost: () => void (isLost = true),
    async settled() {
      while (isFlushing(rfb))
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, 0));
    },
    freeze() {
      isFrozen = true;
      holdBackFrames(rfb);
      const live = target.querySelector('canvas');
      if (!live || live.width === 0 || !frozen.hidden) return;
      const box = live.getBoundingClientRect();
      const around = target.getBoundingClientRect();
      frozen.width = live.width;
      frozen.height = live.height;
      frozen.getContext('2d')?.drawImage(live, 0, 0);
      frozen.style.left = `${box.left - around.left}px`;
      frozen.style.top = `${box.top - around.top}px`;
      frozen.style.width = `${box.width}px`;
      frozen.style.height = `${box.height}px`;
      frozen.hidden = false;
    },
    unfreeze() {
      isFrozen = false;
      showFrames(rfb);
      frozen.hidden = true;
      frozen.width = 0;
      frozen.height = 0;
    },
    picture: () =>
      new Promise((resolve) => {
        const live = target.querySelector('canvas');
        if (!live || live.width === 0) resolve(undefined);
        else live.toBlob((blob) => resolve(blob ?? undefined), 'image/png');
      }),
    close,
  };
}

interface ReplayChannel extends RawChannel {
  deliver(bytes: Uint8Array<ArrayBuffer>): void;
}

/** The object that noVNC uses as its WebSocket. What noVNC sends goes nowhere. */
function createReplayChannel(): ReplayChannel {
  let closed = false;
  const channel: ReplayChannel = {
    binaryType: 'arraybuffer',
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    protocol: '',
    get readyState() {
      return closed ? WebSocket.CLOSED : WebSocket.OPEN;
    },
    send() {},
    close() {
      if (closed) return;
      closed = true;
      // noVNC waits three seconds for this event and then logs an error.
      queueMicrotask(() => channel.onclose?.({ code: 1000, reason: '' }));
    },
    deliver(bytes) {
      if (!closed) channel.onmessage?.({ data: bytes.buffer });
    },
  };
  return channel;
}

/** A ServerInit message for a picture of this size. */
function serverInitOf(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, width);
  view.setUint16(2, height);
  bytes.set(novncFormat, 4);
  return bytes;
}
