import type RFB from '@novnc/novnc';
import type { DisplayEvents } from './display-adapter.ts';
import { onFirstFrame } from './first-frame.ts';
import type { LastFrame } from './last-frame.ts';

/** The machine's screen: one noVNC after the other in the same place, with the same settings. */
export interface Screen {
  attach(create: (target: HTMLElement) => RFB, events: DisplayEvents): void;
  /** Keeps the last frame. Without noVNC, the methods below do nothing. */
  detach(): void;
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
  readonly viewOnly: boolean;
  onClipboard(text: string): void;
}

export function createScreen({ target, lastFrame, viewOnly, onClipboard }: ScreenOptions): Screen {
  let rfb: RFB | undefined;
  let stopWaiting = () => {};
  let fit = true;
  let readOnly = viewOnly;
  let hasFrame = false;

  const canvas = () => target.querySelector('canvas');

  function focus() {
    if (!readOnly) rfb?.focus({ preventScroll: true });
  }

  function describeMode(live: HTMLCanvasElement) {
    // A screen reader passes keys to an application; a view-only screen is a picture.
    live.setAttribute('role', readOnly ? 'img' : 'application');
    live.setAttribute('tabindex', readOnly ? '-1' : '0');
  }

  function describe(live: HTMLCanvasElement) {
    live.setAttribute('aria-label', 'Screen of the machine');
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
      old.disconnect();
    },
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
    ctrlAltDel: () => rfb?.sendCtrlAltDel(),
    paste: (text) => rfb?.clipboardPasteFrom(text),
    sendKey: (keysym, code, down) => rfb?.sendKey(keysym, code, down),
  };
}
