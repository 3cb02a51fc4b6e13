import { concatBytes } from './concat-bytes.ts';
import type { EncodedCursor } from './encoded-cursor.ts';
import { keyOfForm, type EncodedTiles, type TileForm } from './encoded-tiles.ts';
import {
  encodeDesktopSize,
  encodeExtendedDesktopSize,
  encodeExtendedKeys,
  encodeLedState,
} from './encode-notices.ts';
import { encodeUpdate, type Update } from './encode-update.ts';
import type { MachineState } from './machine-state.ts';
import type { SharedUpdates } from './shared-updates.ts';
import { colourMap, nativeFormatBytes, readViewerFormat, type ViewerFormat } from './viewer-format.ts';
import { noEncodings, type ViewerEncodings, type ViewerMessage } from './viewer-messages.ts';
import { ViewerTiles, type ViewerForm } from './viewer-tiles.ts';

/** How fast a viewer gets updates at most, even if it asks for more without reading them. */
export const viewerLimits = {
  /** Milliseconds between two updates. */
  interval: 16,
  thumbnailInterval: 2000,
  /** Updates within a time in milliseconds that begin another form: its tiles may have to be encoded for it alone. */
  newForms: 4,
  newFormsInterval: 2000,
  bytesPerMs: 64 * 1024,
  /** Milliseconds that an update waits for all of its tiles. */
  encodingMs: 250,
} as const;

/** A message in parts. */
type Message = readonly Uint8Array[];

/** The form of a viewer's tiles, which it keeps in the cache until `release`. */
interface OwnForm extends ViewerForm {
  /** Equal for equal forms. */
  readonly key: string;
  release(): void;
}

/** A viewer's side of a picture server: what it supports, what it has, and what it gets next. */
export class PictureViewer {
  paused = false;
  thumbnail = false;
  readonly #name: string;
  readonly #tiles: EncodedTiles;
  #format: ViewerFormat = readViewerFormat(nativeFormatBytes);
  #encodings: ViewerEncodings = noEncodings;
  #form: OwnForm | undefined;
  #hasNewForm = false;
  /** When the last updates in a new form were sent. */
  readonly #newFormsSentAt: number[] = [];
  /** Undefined before ServerInit. */
  #has: ViewerTiles | undefined;
  #requested = false;
  #waitingSince: number | undefined;
  #sentAt = -Infinity;
  #sentBytes = 0;
  #colourMapDue = false;
  #knownCursor: EncodedCursor | undefined;
  #knownLedState: number | undefined;
  #knowsExtendedKeys = false;
  #knowsResizable = false;
  #resizeStatus: number | undefined;

  constructor(name: string, tiles: EncodedTiles) {
    this.#name = name;
    this.#tiles = tiles;
  }

  /** Whether it waits for an update. */
  get waits(): boolean {
    return this.#requested && !this.paused && this.#has !== undefined;
  }

  get initialised(): boolean {
    return this.#has !== undefined;
  }

  /** Whether it has tiles that will be replaced by lossless ones. */
  get lossy(): boolean {
    return this.#has?.lossy ?? false;
  }

  /** When its update stops waiting for tiles. Undefined if it does not wait. */
  get encodingUntil(): number | undefined {
    return this.#waitingSince === undefined ? undefined : this.#waitingSince + viewerLimits.encodingMs;
  }

  /** When it may get the next update. */
  get dueAt(): number {
    const { interval, thumbnailInterval, newForms, newFormsInterval, bytesPerMs } = viewerLimits;
    const oldest = this.#newFormsSentAt.at(-newForms);
    return Math.max(
      this.#sentAt + Math.max(this.thumbnail ? thumbnailInterval : interval, this.#sentBytes / bytesPerMs),
      this.#hasNewForm && oldest !== undefined ? oldest + newFormsInterval : -Infinity,
    );
  }

  /** ServerInit with the size of the picture. */
  initialise({ picture: { width, height } }: MachineState): Message {
    this.#has = new ViewerTiles({ width, height });
    const name = Buffer.from(this.#name);
    const head = Buffer.alloc(24);
    head.writeUInt16BE(width, 0);
    head.writeUInt16BE(height, 2);
    head.set(nativeFormatBytes, 4);
    head.writeUInt32BE(name.length, 20);
    return [head, name];
  }

  onMessage(message: ViewerMessage): void {
    switch (message.type) {
      case 'format':
        this.#format = message.format;
        this.#colourMapDue = message.format.mapped;
        this.#knownCursor = undefined;
        this.#has?.forget();
        return this.#changeForm();
      case 'encodings': {
        const before = this.#encodings;
        this.#encodings = message.encodings;
        if (!before.cursor) this.#knownCursor = undefined;
        return this.#changeForm();
      }
      case 'request':
        this.#requested = true;
        return this.#has?.ask(message.region, message.incremental);
    }
  }

  onResizeAnswered(status: number): void {
    this.#resizeStatus = status;
  }

  /**
   * The messages with which its request is answered, of which the last is an update; empty if there is nothing new.
   * An update that other viewers get as well is the same array. `now` is in milliseconds.
   */
  answer(machine: MachineState, now: number, shared: SharedUpdates): Message[] {
    const has = this.#has;
    if (!has) return [];
    const sizes = this.#sizes(machine, has);
    if (sizes.length > 0) return this.#send(encodeUpdate(sizes), now);
    const form = this.#useForm();
    const collected = shared.collect({ progress: has.progress, formKey: form.key }, () =>
      has.collect(machine, this.#tiles, form),
    );
    const { tiles, pending } = collected;
    if (pending > 0) {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince < viewerLimits.encodingMs) return [];
    }
    const notices = this.#notices(machine);
    if (notices.length + tiles.length === 0) return [];
    has.commit(collected);
    if (this.#hasNewForm && tiles.length > 0) {
      this.#hasNewForm = false;
      this.#newFormsSentAt.push(now);
      if (this.#newFormsSentAt.length > viewerLimits.newForms) this.#newFormsSentAt.shift();
    }
    if (notices.length === 0) return this.#send(collected.update, now);
    return this.#send(encodeUpdate([...notices, ...tiles.map(({ tile }) => tile.bytes)]), now);
  }

  /** An update with the complete picture. Undefined while it shows another size, or if that is too large. */
  keyframe({ picture }: MachineState): Uint8Array | undefined {
    const tiles = this.#has?.encodeAll(picture, this.#tiles, this.#useForm());
    if (!tiles) return undefined;
    const cursor = this.#knownCursor ? [this.#knownCursor.encode(this.#format)] : [];
    return concatBytes(encodeUpdate([...tiles, ...cursor]).message);
  }

  /** Its tiles are not needed any more. */
  release(): void {
    this.#form?.release();
    this.#form = undefined;
  }

  #send({ message, bytes }: Update, now: number): Message[] {
    this.#requested = false;
    this.#waitingSince = undefined;
    this.#sentAt = now;
    this.#sentBytes = bytes;
    const messages: Message[] = [message];
    if (this.#colourMapDue) messages.unshift([colourMap()]);
    this.#colourMapDue = false;
    return messages;
  }

  /** Rectangles about the size. They have an update of their own, because viewers forget their picture then. */
  #sizes(machine: MachineState, has: ViewerTiles): Buffer[] {
    const { picture, resizable, resizing } = machine;
    const { desktopSize, extendedDesktopSize } = this.#encodings;
    const rectangles: Buffer[] = [];
    const status = this.#resizeStatus;
    // With status 0, the size that it asked for comes first.
    if (extendedDesktopSize && status !== undefined && status !== 0)
      rectangles.push(encodeExtendedDesktopSize(has.size, 1, status));
    const changed = picture.width !== has.size.width || picture.height !== has.size.height;
    const granted = extendedDesktopSize && status === 0 && !resizing;
    const announced = extendedDesktopSize && resizable && !this.#knowsResizable;
    if (changed || granted || announced) {
      // A machine of one size must not invite requests for others.
      if (extendedDesktopSize && (resizable || granted || !desktopSize)) {
        rectangles.push(encodeExtendedDesktopSize(picture, granted ? 1 : 0, 0));
        this.#knowsResizable = true;
      } else if (desktopSize) rectangles.push(encodeDesktopSize(picture));
      if (changed && (desktopSize || extendedDesktopSize)) this.#has = new ViewerTiles(picture);
    }
    if (!(status === 0 && resizing)) this.#resizeStatus = undefined;
    return rectangles;
  }

  #notices({ cursor, ledState, extendedKeys }: MachineState): Buffer[] {
    const offered = this.#encodings;
    const rectangles: Buffer[] = [];
    if (offered.extendedKeys && extendedKeys && !this.#knowsExtendedKeys) {
      rectangles.push(encodeExtendedKeys());
      this.#knowsExtendedKeys = true;
    }
    if (offered.ledState && ledState !== undefined && ledState !== this.#knownLedState) {
      rectangles.push(encodeLedState(ledState));
      this.#knownLedState = ledState;
    }
    if (offered.cursor && cursor && cursor !== this.#knownCursor) {
      rectangles.push(cursor.encode(this.#format));
      this.#knownCursor = cursor;
    }
    return rectangles;
  }

  /** The next update needs another form, if the format or the encodings have another one. */
  #changeForm(): void {
    const before = this.#form;
    this.#form = undefined;
    if (this.#useForm().key !== before?.key) this.#hasNewForm = true;
    before?.release();
  }

  #useForm(): OwnForm {
    if (this.#form) return this.#form;
    const form = this.#chooseForm();
    const level = form === 'tight' ? this.#encodings.quality : undefined;
    const tiles = this.#tiles.use(form);
    const jpeg = level === undefined ? undefined : this.#tiles.useJpeg(level);
    this.#form = {
      key: `${keyOfForm(form)} ${level}`,
      form,
      slots: tiles.slots,
      jpeg: jpeg && level !== undefined ? { level, slots: jpeg.slots } : undefined,
      release() {
        tiles.release();
        jpeg?.release();
      },
    };
    return this.#form;
  }

  /** Of the encodings that the viewer supports with its format, the one that it prefers. */
  #chooseForm(): TileForm {
    const format = this.#format;
    const encoding = this.#encodings.preferred.find((each) => each !== 'tight' || format.tight24);
    return encoding === 'tight' ? encoding : { encoding: encoding ?? 'raw', format };
  }
}
