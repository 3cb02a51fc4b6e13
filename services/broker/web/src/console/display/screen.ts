import type RFB from '@novnc/novnc';
import { labelElement } from '../../language/label-element.ts';
import type { DisplayEvents } from './display-adapter.ts';
import { onFirstFrame } from './first-frame.ts';
import type { TypedMeanwhile } from '../keyboard/typed-meanwhile.ts';
import type { LastFrame } from './last-frame.ts';

/** The machine's screen: one noVNC after the other in the same place, with the same settings. */
export interface Screen {
  attach(create: (target: HTMLElement) => RFB, events: DisplayEvents): void;
  /** Keeps the last frame. Without noVNC, the methods below wait for the next one for a moment, or do nothing. */
  detach(): void;
  /** Calls back when the connection to the machine is gone, also for a moment. Returns an unsubscriber. */
  onDetached(listener: () => void): () => void;
  /** The user types for the page again, not for the next noVNC. */
  discardTyped(): void;
  setViewOnly(viewOnly: boolean): void;
  setFit(fit: boolean): void;
  focus(): void;
  ctrlAltDel(): void;
  /** Sends text to the machine's clipboard. */
  paste(text: string): void;
  /** Without `down`, the key is pressed and released. */
  sendKey(keysym: number, code: string, down?: boolean): void;
}

export interface ScreenOptions {
  readonly target: HTMLElement;
  readonly lastFrame: LastFrame;
  readonly typedMeanwhile?: TypedMeanwhile;
  readonly viewOnly: boolean;
  onClipboard(text: string): void;
}

export function createScreen(options: ScreenOptions): Screen {
  const { target, lastFrame, typedMeanwhile, onClipboard } = options;
  let rfb: RFB | undefined;
  const detachedListeners = new Set<() => void>();
  let stopWaiting = () => {};
  let fit = true;
  let readOnly = options.viewOnly;
  let hasFrame = false;

  const canvas = () => target.querySelector('canvas');

  function focus() {
    if (!readOnly) rfb?.focus({ preventScroll: true });
  }

  function send(input: (current: RFB) => void) {
    if (rfb && hasFrame) input(rfb);
    else typedMeanwhile?.keep(() => rfb && input(rfb));
  }

  function describeMode(live: HTMLCanvasElement) {
    // A screen reader passes keys to an application; a view-only screen is a picture.
    live.setAttribute('role', readOnly ? 'img' : 'application');
    live.setAttribute('tabindex', readOnly ? '-1' : '0');
  }

  function describe(live: HTMLCanvasElement) {
    labelElement(live, 'screen.label');
    describeMode(live);
    // A key that is held while the focus moves would stay down in the machine. noVNC releases all keys when the
    // window loses the focus.
    live.addEventListener('blur', () => window.dispatchEvent(new Event('blur')));
  }

  return {
    attach(create, events) {
      const current = create(target);
      rfb = current;
      hasFrame = false;
      current.background = 'transparent';
      current.scaleViewport = fit;
      current.resizeSession = false;
      current.viewOnly = readOnly;
      const live = canvas();
      if (live) describe(live);
      current.addEventListener('connect', () => {
        if (!live) return;
        stopWaiting = onFirstFrame(live, () => {
          hasFrame = true;
          lastFrame.hide();
          if (!readOnly) typedMeanwhile?.replay(live);
          events.onFirstFrame();
          if (document.activeElement === document.body || !document.activeElement) focus();
        });
      });
      current.addEventListener('clipboard', (event) => onClipboard(event.detail.text));
      current.addEventListener('disconnect', () => {
        // After detach() this event only confirms it.
        if (rfb === current) events.onProtocolError();
      });
    },
    detach() {
      const old = rfb;
      rfb = undefined;
      stopWaiting();
      if (!old) return;
      const live = canvas();
      if (live && hasFrame) lastFrame.capture(live);
      if (live && hasFrame && !readOnly) typedMeanwhile?.start(document.activeElement === live);
      hasFrame = false;
      old.disconnect();
      for (const listener of detachedListeners) listener();
    },
    onDetached(listener) {
      detachedListeners.add(listener);
      return () => void detachedListeners.delete(listener);
    },
    discardTyped: () => typedMeanwhile?.discard(),
    setViewOnly(value) {
      readOnly = value;
      if (!rfb) return;
      rfb.viewOnly = value;
      const live = canvas();
      if (live) describeMode(live);
    },
    setFit(value) {
      fit = value;
      if (rfb) rfb.scaleViewport = value;
    },
    focus,
    ctrlAltDel: () => send((current) => current.sendCtrlAltDel()),
    paste: (text) => send((current) => current.clipboardPasteFrom(text)),
    sendKey: (keysym, code, down) => send((current) => current.sendKey(keysym, code, down)),
  };
}
