import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { ClientMessageReader } from '../rfb/client-message-reader.ts';
import { encodings, offersEncoding } from '../rfb/encodings.ts';
import { clientMessageTypes, serverMessageTypes } from '../rfb/message-types.ts';
import type { Keyframe } from '../stream/keyframe.ts';
import type { LinkHandler } from '../stream/link.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import type { ClipboardViewer } from './clipboard-router.ts';
import { resizeMessage, sizeOfServerInit, type ScreenSize } from './resize-message.ts';
import { ViewerOutput } from './viewer-output.ts';
import { messageOverhead, type ToPicture } from '../picture/worker-messages.ts';

/** A viewer whose messages wait in the worker is told when no more than this is left. */
const drainedBytes = 256 * 1024;

/** What a viewer's link needs of its screen. */
export interface ViewerScreen {
  /** The name of the desktop. */
  readonly name: string;
  /** Bytes that the machine has not taken yet. */
  readonly bufferedInput: number;
  /** Sends a message to the picture server. Returns whether there is one. */
  postToPicture(message: ToPicture): boolean;
  /** A complete message that is not about the picture. It is valid during the call. */
  onViewerMessage(viewer: ViewerLink, message: Buffer): void;
  /** The viewer has ServerInit and offers the extended clipboard. */
  onClipboardOffered(viewer: ViewerLink): void;
  /** Called once: the viewer's side has destroyed the link, or the viewer broke the protocol. */
  onViewerGone(viewer: ViewerLink): void;
}

/** A viewer of a shared screen. To its session, it is a machine that has authenticated and expects ClientInit. */
export class ViewerLink implements MachineLink, ClipboardViewer {
  readonly id: number;
  readonly #screen: ViewerScreen;
  readonly #reader = new ClientMessageReader((message) => this.#onMessage(message));
  readonly #output: ViewerOutput;
  #control: boolean;
  /** Control was taken away while a message was arriving: it is not input any more. */
  #dropsInput = false;
  #hasClientInit = false;
  /** ServerInit has arrived, so the viewer accepts other messages. */
  #size: ScreenSize | undefined;
  /** The picture server begins with ServerInit. */
  #awaitsServerInit = true;
  /** Of its messages, what the worker has not handled yet. */
  #untaken = 0;
  #isBehind = false;
  /** The messages that a new picture server has to know, with the request that has no answer yet. */
  #pixelFormat: Buffer | undefined;
  #encodings: Buffer | undefined;
  #request: Buffer | undefined;
  #onKeyframe: ((keyframe: Keyframe) => void) | undefined;
  extendedClipboard = false;
  framesSent = 0;

  constructor(id: number, screen: ViewerScreen, control: boolean) {
    this.id = id;
    this.#screen = screen;
    this.#control = control;
    this.#output = new ViewerOutput((bytes) =>
      screen.postToPicture({ type: 'delivered', viewer: id, bytes }),
    );
  }

  get control(): boolean {
    return this.#control && !this.#dropsInput;
  }

  set control(control: boolean) {
    if (this.#control && !control && this.#reader.isWithinMessage) this.#dropsInput = true;
    this.#control = control;
  }

  get buffered(): number {
    return this.#untaken + (this.#control ? this.#screen.bufferedInput : 0);
  }

  send(source: Buffer, start = 0, end = source.length): boolean {
    if (this.#output.ended || start === end) return true;
    let from = start;
    if (!this.#hasClientInit) {
      // It has one byte, the shared flag, which does not matter here.
      this.#hasClientInit = true;
      from++;
      this.join();
    }
    try {
      this.#reader.push(source.subarray(from, end));
    } catch (error) {
      this.leave(asPortholeError(error));
    }
    if (this.buffered <= drainedBytes) return true;
    this.#isBehind = true;
    return false;
  }

  setHandler(handler: LinkHandler): void {
    this.#output.setHandler(handler);
  }

  pause(): void {
    if (this.#output.paused) return;
    this.#output.pause();
    this.#postPaused(true);
  }

  resume(): void {
    if (!this.#output.paused) return;
    this.#output.resume();
    this.#postPaused(false);
  }

  destroy(): void {
    if (this.#output.ended) return;
    this.#output.abandon();
    this.#screen.onViewerGone(this);
  }

  /** The screen watches the machine itself, so a viewer's place at it is alive as long as it exists. */
  ping(onPong: () => void): void {
    onPong();
  }

  /** Introduces the viewer to a picture server: a new viewer, or a new server. */
  join(): void {
    if (!this.#hasClientInit) return;
    this.#awaitsServerInit = true;
    this.#screen.postToPicture({ type: 'addViewer', viewer: this.id, name: this.#screen.name });
    if (this.#output.paused) this.#postPaused(true);
    for (const message of [this.#pixelFormat, this.#encodings]) if (message) this.#postMessage(message);
  }

  requestKeyframe(onKeyframe: (keyframe: Keyframe) => void): void {
    this.#onKeyframe = onKeyframe;
    this.#screen.postToPicture({ type: 'requestKeyframe', viewer: this.id });
  }

  onKeyframe(keyframe: Keyframe): void {
    const { bytes } = keyframe;
    const take = this.#onKeyframe;
    this.#onKeyframe = undefined;
    if (take)
      this.#output.sendAside(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), () => take(keyframe));
  }

  /** The picture server is gone, with what it had not handled. */
  onPictureLost(): void {
    this.#untaken = 0;
    this.#output.recount();
    this.onDrained();
  }

  /** A complete message of the picture server. */
  onPictureMessage(message: Buffer): void {
    if (this.#awaitsServerInit) {
      this.#onServerInit(message);
      return;
    }
    if (message[0] === serverMessageTypes.framebufferUpdate) this.#request = undefined;
    this.#output.send(message, true);
  }

  /** The picture server has handled messages of the viewer. */
  onTaken(bytes: number): void {
    this.#untaken -= bytes + messageOverhead;
    if (this.#isBehind) this.onDrained();
  }

  /** The worker or the machine has taken bytes. */
  onDrained(): void {
    if (this.buffered > drainedBytes) return;
    this.#isBehind = false;
    this.#output.onDrained();
  }

  sendClipboard(message: Buffer): void {
    this.sendIfInitialised(message);
  }

  /** A complete message of the screen itself. */
  sendIfInitialised(message: Buffer): void {
    if (this.#size) this.#output.send(message, false);
  }

  /** The screen ends the viewer. */
  end(error?: PortholeError): void {
    this.#output.end(error);
  }

  /** The viewer broke the protocol, or can not stay. */
  leave(error: PortholeError): void {
    this.#output.end(error);
    this.#screen.onViewerGone(this);
  }

  #onMessage(message: Buffer): void {
    if (this.#output.ended) return;
    switch (message[0]) {
      case clientMessageTypes.setPixelFormat:
        this.#pixelFormat = copyOf(message);
        this.#postMessage(this.#pixelFormat);
        break;
      case clientMessageTypes.setEncodings:
        this.#encodings = copyOf(message);
        this.#postMessage(this.#encodings);
        this.#onEncodings();
        break;
      case clientMessageTypes.framebufferUpdateRequest:
        this.#request = copyOf(message);
        this.#postMessage(this.#request);
        break;
      case clientMessageTypes.fence:
      case clientMessageTypes.xvp:
      case clientMessageTypes.enableContinuousUpdates:
        // The picture server does not offer them.
        break;
      default:
        this.framesSent++;
        this.#screen.onViewerMessage(this, message);
    }
    this.#dropsInput = false;
  }

  #onEncodings(): void {
    const offered =
      this.#encodings !== undefined && offersEncoding(this.#encodings, encodings.extendedClipboard);
    const isNew = offered && !this.extendedClipboard;
    this.extendedClipboard = offered;
    if (isNew && this.#size) this.#screen.onClipboardOffered(this);
  }

  #onServerInit(message: Buffer): void {
    this.#awaitsServerInit = false;
    const size = sizeOfServerInit(message);
    if (!this.#size) {
      this.#size = size;
      this.#output.send(message, true);
      if (this.extendedClipboard) this.#screen.onClipboardOffered(this);
      return;
    }
    // The viewer has it from another picture server, which may have told it another size since.
    this.#output.skip(message.length);
    if (this.#request) this.#postMessage(this.#request);
    const resize = this.#encodings && resizeMessage(this.#encodings, size);
    if (resize) this.#output.send(resize, false);
    else if (size.width !== this.#size.width || size.height !== this.#size.height)
      this.leave(new PortholeError('screen_moved', { detail: 'the viewer can not change its size' }));
  }

  #postMessage(bytes: Buffer): void {
    if (this.#screen.postToPicture({ type: 'viewerMessage', viewer: this.id, bytes }))
      this.#untaken += bytes.length + messageOverhead;
  }

  #postPaused(paused: boolean): void {
    this.#screen.postToPicture({ type: 'pause', viewer: this.id, paused });
  }
}

/** Memory of its own: a message that is posted to a thread takes the memory around it along. */
function copyOf(message: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(message.length);
  message.copy(copy);
  return copy;
}
