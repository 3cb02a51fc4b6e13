import type { Clock } from '@porthole/shared/time/clock';
import { asPortholeError, PortholeError } from '@porthole/shared/errors';
import { clientMessageTypes, serverMessageTypes } from '../rfb/message-types.ts';
import type { MachineLink } from '../upstream/proxmox-link.ts';
import { ClipboardRouter } from './clipboard-router.ts';
import type { PictureListener, RemotePicture } from './picture-thread.ts';
import type { PictureThreads } from './picture-threads.ts';
import { ScreenConsole } from './screen-console.ts';
import { ScreenInput } from './screen-input.ts';
import { ScreenThumbnails } from './screen-thumbnails.ts';
import { screenFull, type ScreenTotals } from './screen-limits.ts';
import type { ScreenMetrics } from './screen-metrics.ts';
import type {
  ScreenUpstream,
  ScreenViewer,
  ScreenViewerOptions,
  SharedScreen,
  SharedScreenEvents,
} from './shared-screen-contract.ts';
import { ViewerLink, type ViewerScreen } from './viewer-link.ts';
import type { FromPicture, MachineEvent, ToPicture } from '../picture/worker-messages.ts';

export interface ScreenDeps {
  readonly clock: Clock;
  /** The name of the desktop, which viewers read in ServerInit. */
  readonly name: string;
  readonly events: SharedScreenEvents;
  readonly threads: Pick<PictureThreads, 'open'>;
  readonly totals: ScreenTotals;
  readonly viewersPerScreen: number;
  /** Interval of the checks whether the idle console needs a keep-alive message, in milliseconds. */
  readonly keepAliveMs: number;
  readonly metrics: Pick<ScreenMetrics, 'ping'>;
  /** Called once, when the screen has ended. */
  readonly onEnded: () => void;
}

const bell = Buffer.of(serverMessageTypes.bell);

/** A shared screen: one console, the picture server in a worker thread, and the viewers. */
export class Screen implements SharedScreen, PictureListener, ViewerScreen {
  readonly #deps: ScreenDeps;
  readonly #viewers = new Map<number, ViewerLink>();
  readonly #input = new ScreenInput((message) => void this.#console?.send(message));
  readonly #clipboard = new ClipboardRouter({
    viewers: () => this.#viewers.values(),
    sendToMachine: (message) => void this.#console?.send(message),
  });
  readonly #thumbnails = new ScreenThumbnails({
    post: (message) => void this.postToPicture(message),
    onGone: () => this.#deps.events.onViewers(this.viewers),
  });
  #picture: RemotePicture | undefined;
  #console: ScreenConsole | undefined;
  /** Counts the consoles, so that what the worker still says about the one before is ignored. */
  #connection = 0;
  /** Until the console has shown a picture. */
  #connecting: PromiseWithResolvers<void> | undefined;
  #nextViewer = 1;
  #ended = false;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
  }

  get name(): string {
    return this.#deps.name;
  }

  get viewers(): number {
    return this.#viewers.size + this.thumbnails;
  }

  get thumbnails(): number {
    return this.#thumbnails.size;
  }

  get bufferedInput(): number {
    return this.#console?.buffered ?? 0;
  }

  connect(upstream: ScreenUpstream): Promise<void> {
    const connecting = Promise.withResolvers<void>();
    try {
      this.#connect(upstream, connecting);
    } catch (error) {
      upstream.link.destroy();
      connecting.reject(asPortholeError(error));
    }
    return connecting.promise;
  }

  attach({ control }: ScreenViewerOptions): ScreenViewer {
    const { viewersPerScreen, events } = this.#deps;
    if (this.#ended) throw ended();
    if (this.#viewers.size >= viewersPerScreen)
      throw screenFull(`${viewersPerScreen} viewers share a screen`);
    const link = new ViewerLink(this.#nextViewer++, this, control);
    this.#viewers.set(link.id, link);
    events.onViewers(this.viewers);
    return { link, setControl: (has) => this.#setControl(link, has) };
  }

  attachThumbnail(): MachineLink {
    if (this.#ended) throw ended();
    const link = this.#thumbnails.attach(this.#nextViewer++);
    this.#deps.events.onViewers(this.viewers);
    return link;
  }

  end(error?: PortholeError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeConsole();
    this.#connecting?.reject(error ?? ended());
    this.#picture?.close();
    this.#picture = undefined;
    const viewers = [...this.#viewers.values()];
    this.#viewers.clear();
    for (const viewer of viewers) {
      viewer.end(error);
    }
    this.#thumbnails.end(error);
    this.#deps.onEnded();
  }

  postToPicture(message: ToPicture): boolean {
    this.#picture?.post(message);
    return this.#picture !== undefined;
  }

  onViewerMessage(viewer: ViewerLink, message: Buffer): void {
    if (!this.#console?.ready) return;
    if (message[0] === clientMessageTypes.clientCutText) this.#clipboard.onViewerMessage(viewer, message);
    else if (viewer.control) this.#input.onMessage(viewer.id, message);
  }

  onClipboardOffered(viewer: ViewerLink): void {
    this.#clipboard.onViewerOffer(viewer);
  }

  onViewerGone(viewer: ViewerLink): void {
    if (!this.#viewers.delete(viewer.id)) return;
    this.#input.release(viewer.id);
    this.#clipboard.onViewerLeft(viewer);
    this.postToPicture({ type: 'removeViewer', viewer: viewer.id });
    this.#deps.events.onViewers(this.viewers);
  }

  onPictureMessage(message: FromPicture): void {
    switch (message.type) {
      case 'toViewers':
        for (const viewer of message.viewers)
          this.#viewers.get(viewer)?.onPictureMessage(asBuffer(message.bytes));
        return;
      case 'keyframe':
        return this.#viewers.get(message.viewer)?.onKeyframe(message.keyframe);
      case 'thumbnail':
        return this.#thumbnails.onThumbnail(message);
      case 'viewerMessagesTaken':
        return this.#viewers.get(message.viewer)?.onTaken(message.bytes);
      case 'viewerFailed':
        return this.#viewers
          .get(message.viewer)
          ?.leave(new PortholeError('viewer_protocol', { detail: message.detail }));
      case 'machine':
        if (message.connection === this.#connection && this.#console) this.#onMachine(message.event);
        return;
      case 'failed':
        return this.onPictureLost(message.detail);
    }
  }

  onPictureLost(detail: string): void {
    this.#picture = undefined;
    for (const viewer of this.#viewers.values()) viewer.onPictureLost();
    // Only the picture server knows where the next message of the machine begins.
    if (this.#console) this.#onConsoleLost(new PortholeError('console_lost', { detail }));
  }

  #connect(upstream: ScreenUpstream, connecting: PromiseWithResolvers<void>): void {
    if (this.#ended) throw ended();
    this.#closeConsole();
    this.#connecting?.reject(new PortholeError('console_lost', { detail: 'another console took its place' }));
    this.#connecting = undefined;
    const isNew = this.#picture === undefined;
    this.#picture ??= this.#deps.threads.open(this);
    this.#connecting = connecting;
    const connection = ++this.#connection;
    const { clock, keepAliveMs, metrics } = this.#deps;
    this.#console = new ScreenConsole({
      clock,
      upstream,
      keepAliveMs,
      onBytes: (bytes) => this.#picture?.post({ type: 'machineBytes', bytes }, bytes.buffer),
      onDrained: () => this.#onInputDrained(),
      onPong: (seconds) => metrics.ping('machine', seconds),
      onLost: (error) => this.#onConsoleLost(error),
    });
    this.postToPicture({ type: 'connect', connection, start: upstream.start });
    if (isNew) {
      for (const viewer of this.#viewers.values()) viewer.join();
      this.#thumbnails.join();
    }
    this.#console.start();
  }

  #onMachine(event: MachineEvent): void {
    switch (event.type) {
      case 'taken':
        return this.#console?.onTaken(event.bytes);
      case 'toMachine':
        return void this.#console?.send(asBuffer(event.bytes));
      case 'picture':
        return this.#onPicture();
      case 'size':
        return this.#onSize(event);
      case 'resizeStatus': {
        const viewer = this.#input.takeResize();
        if (viewer !== undefined && this.#viewers.has(viewer))
          this.postToPicture({ type: 'resizeAnswered', viewer, status: event.status });
        return;
      }
      case 'bell':
        for (const viewer of this.#viewers.values()) viewer.sendIfInitialised(bell);
        return;
      case 'cutText':
        return this.#clipboard.onMachineText(event.text);
      case 'clipboard':
        return this.#clipboard.onMachineMessage(event);
      case 'extendedKeys':
        return this.#input.onExtendedKeys();
      case 'machineFailed':
        return this.#onConsoleLost(new PortholeError('proxmox_invalid_response', { detail: event.detail }));
    }
  }

  #onPicture(): void {
    if (this.#console) this.#console.ready = true;
    this.#input.connect();
    this.#connecting?.resolve();
    this.#connecting = undefined;
  }

  #onSize(size: { readonly width: number; readonly height: number }): void {
    try {
      this.#deps.totals.resize(this, size);
    } catch (error) {
      this.#onConsoleLost(asPortholeError(error));
    }
  }

  #onInputDrained(): void {
    for (const viewer of this.#viewers.values()) if (viewer.control) viewer.onDrained();
  }

  #onConsoleLost(error: PortholeError | undefined): void {
    this.#closeConsole();
    const connecting = this.#connecting;
    this.#connecting = undefined;
    if (connecting) connecting.reject(error ?? new PortholeError('console_lost'));
    else this.#deps.events.onUpstreamLost(error);
  }

  /** Releases what the viewers hold, and ends the console without an event. */
  #closeConsole(): void {
    if (!this.#console) return;
    this.#input.disconnect();
    this.#clipboard.disconnect();
    this.#console.close();
    this.#console = undefined;
    this.postToPicture({ type: 'disconnect' });
  }

  #setControl(viewer: ViewerLink, control: boolean): void {
    if (!this.#viewers.has(viewer.id)) return;
    viewer.control = control;
    if (control) return;
    this.#input.release(viewer.id);
    this.#clipboard.withdraw(viewer);
  }
}

function ended(): PortholeError {
  return new PortholeError('console_lost', { detail: 'the shared screen has ended' });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
