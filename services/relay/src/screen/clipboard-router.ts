import {
  actionOf,
  emptyNotify,
  formatsOf,
  plainToViewer,
  readClientClipboard,
  relayCaps,
  textFormat,
  textRequest,
  toMachine,
  toViewer,
  type ClipboardMessage,
} from './clipboard-messages.ts';
import { readProvidedText } from './clipboard-text.ts';

/** A viewer as the clipboard sees it. */
export interface ClipboardViewer {
  /** Whether it may set the clipboard. */
  readonly control: boolean;
  /** Whether it offers the extended clipboard. */
  readonly extendedClipboard: boolean;
  /** Sends a complete message, if the viewer has ServerInit. */
  sendClipboard(message: Buffer): void;
}

/**
 * Routes the clipboard between a machine and any number of viewers: plain text both ways, and the extended clipboard, in
 * which each side announces new text and provides it on request. One text per direction is on its way at a time; a newer
 * announcement replaces it. Each session's own filters apply its grant's clipboard policy to what passes.
 */
export class ClipboardRouter {
  readonly #viewers: () => Iterable<ClipboardViewer>;
  readonly #sendToMachine: (message: Buffer) => void;
  /** What the machine has announced: that it knows the extended clipboard, and its latest text. */
  #machineCaps: ClipboardMessage | undefined;
  #machineNotify: ClipboardMessage | undefined;
  /** Viewers that have requested the machine's text. */
  readonly #requesters = new Set<ClipboardViewer>();
  #requested = false;
  /** The viewer that announced text last, and whether the machine has requested it. */
  #announcer: ClipboardViewer | undefined;
  #announcerRequested = false;

  constructor(deps: {
    /** The viewers that are attached. */
    readonly viewers: () => Iterable<ClipboardViewer>;
    readonly sendToMachine: (message: Buffer) => void;
  }) {
    this.#viewers = deps.viewers;
    this.#sendToMachine = deps.sendToMachine;
  }

  /** Another console takes the place of this one. */
  disconnect(): void {
    this.#machineCaps = undefined;
    this.#machineNotify = undefined;
    this.#requesters.clear();
    this.#requested = false;
    this.#announcer = undefined;
    this.#announcerRequested = false;
  }

  /** Plain text of the machine. */
  onMachineText(text: string): void {
    const message = plainToViewer(text);
    for (const viewer of this.#viewers()) viewer.sendClipboard(message);
  }

  /** An extended message of the machine. */
  onMachineMessage(message: ClipboardMessage): void {
    switch (actionOf(message)) {
      case 'caps':
        this.#machineCaps = message;
        this.#sendToMachine(toMachine(relayCaps));
        return this.#sendToExtended(message);
      case 'notify':
        return this.#onMachineNotify(message);
      case 'request':
        if (!this.#announcer) return this.#sendToMachine(toMachine(emptyNotify));
        this.#announcerRequested = true;
        return this.#announcer.sendClipboard(toViewer(message));
      case 'provide':
        return this.#onMachineProvide(message);
      case 'peek':
        return this.#announcer?.sendClipboard(toViewer(message));
      default:
    }
  }

  /** A complete ClientCutText. */
  onViewerMessage(viewer: ClipboardViewer, bytes: Buffer): void {
    const message = readClientClipboard(bytes);
    if (!message) {
      if (viewer.control) this.#sendToMachine(bytes);
      return;
    }
    if (!this.#machineCaps) return;
    switch (actionOf(message)) {
      case 'request':
        return this.#onViewerRequest(viewer, message);
      case 'peek':
        if (this.#machineNotify) viewer.sendClipboard(toViewer(this.#machineNotify));
        return;
      case 'notify':
        if (!viewer.control) return;
        this.#announcer = viewer;
        this.#announcerRequested = false;
        // The machine would not answer a request for its own text any more.
        this.#machineNotify = undefined;
        return this.#sendToMachine(bytes);
      case 'provide':
        if (!viewer.control || viewer !== this.#announcer || !this.#announcerRequested) return;
        this.#announcerRequested = false;
        return this.#sendToMachine(bytes);
      default:
      // The machine has the relay's own capabilities.
    }
  }

  /** The viewer has begun to offer the extended clipboard. */
  onViewerOffer(viewer: ClipboardViewer): void {
    if (!this.#machineCaps) return;
    viewer.sendClipboard(toViewer(this.#machineCaps));
    if (this.#machineNotify) viewer.sendClipboard(toViewer(this.#machineNotify));
  }

  /** The viewer has left, or must not set the clipboard any more. */
  withdraw(viewer: ClipboardViewer): void {
    if (this.#announcer !== viewer) return;
    this.#announcer = undefined;
    this.#announcerRequested = false;
    this.#sendToMachine(toMachine(emptyNotify));
  }

  onViewerLeft(viewer: ClipboardViewer): void {
    this.#requesters.delete(viewer);
    this.withdraw(viewer);
  }

  #onMachineNotify(message: ClipboardMessage): void {
    this.#machineNotify = message;
    this.#announcer = undefined;
    this.#announcerRequested = false;
    // A provided text that is still missing would be the one before.
    this.#requested = false;
    this.#requesters.clear();
    this.#sendToExtended(message);
    if (!(formatsOf(message) & textFormat)) return;
    for (const viewer of this.#viewers())
      if (!viewer.extendedClipboard) this.#onViewerRequest(viewer, textRequest);
  }

  #onMachineProvide(message: ClipboardMessage): void {
    const requesters = [...this.#requesters];
    this.#requesters.clear();
    this.#requested = false;
    const plain = requesters.filter((viewer) => !viewer.extendedClipboard);
    for (const viewer of requesters) if (viewer.extendedClipboard) viewer.sendClipboard(toViewer(message));
    if (plain.length === 0) return;
    void readProvidedText(message).then((text) => {
      if (text === undefined) return;
      const bytes = plainToViewer(text);
      for (const viewer of plain) viewer.sendClipboard(bytes);
    });
  }

  /** One request for all viewers, but another one if a viewer asks again: the machine may never have answered. */
  #onViewerRequest(viewer: ClipboardViewer, message: ClipboardMessage): void {
    const again = this.#requesters.has(viewer);
    this.#requesters.add(viewer);
    if (this.#requested && !again) return;
    this.#requested = true;
    this.#sendToMachine(toMachine(message));
  }

  #sendToExtended(message: ClipboardMessage): void {
    const bytes = toViewer(message);
    for (const viewer of this.#viewers()) if (viewer.extendedClipboard) viewer.sendClipboard(bytes);
  }
}
