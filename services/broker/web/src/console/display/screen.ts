import type RFB from '@novnc/novnc';
import { onFirstFrame } from './first-frame.ts';
import type { LastFrame } from './last-frame.ts';

export interface ScreenEvents {
  onFirstFrame(): void;
  /** noVNC gave up: what came was not RFB. */
  onProtocolError(): void;
}

/** The machine's screen: one noVNC after the other in the same place, with the same settings. */
export interface Screen {
  attach(create: (target: HTMLElement) => RFB, events: ScreenEvents): void;
  detach(): void;
  setViewOnly(viewOnly: boolean): void;
  setFit(fit: boolean): void;
  focus(): void;
  ctrlAltDel(): void;
  /** Puts text into the machine's clipboard. */
  paste(text: string): void;
  sendKey(keysym: number, code: string, down?: boolean): void;
}

export interface ScreenOptions {
  readonly target: HTMLElement;
  readonly lastFrame: LastFrame;
  readonly viewOnly: boolean;
  onClipboard(text: string): void;
}

export function createScreen({ target, lastFrame: still, viewOnly, onClipboard }: ScreenOptions): Screen {
  let rfb: RFB | undefined;
  let stopLooking = () => {};
  let fit = true;
  let readOnly = viewOnly;
  let drawn = false;

  const canvas = () => target.querySelector('canvas');

  function focus() {
    if (!readOnly) rfb?.focus({ preventScroll: true });
  }

  return {
    attach(create, events) {
      const mine = create(target);
      rfb = mine;
      drawn = false;
      mine.background = 'transparent';
      mine.scaleViewport = fit;
      mine.resizeSession = false;
      mine.viewOnly = readOnly;
      const live = canvas();
      live?.setAttribute('aria-label', 'Screen of the machine');
      // An application gets its keys from a screen reader; a picture is only described.
      live?.setAttribute('role', readOnly ? 'img' : 'application');
      live?.setAttribute('tabindex', readOnly ? '-1' : '0');
      // Keys that are held while the focus leaves would stay down in the machine; noVNC lets go of all keys
      // when the window loses the focus, so let it think that.
      live?.addEventListener('blur', () => window.dispatchEvent(new Event('blur')));
      mine.addEventListener('connect', () => {
        if (!live) return;
        stopLooking = onFirstFrame(live, () => {
          drawn = true;
          still.hide();
          events.onFirstFrame();
          if (document.activeElement === document.body || !document.activeElement) focus();
        });
      });
      mine.addEventListener('clipboard', (event) => onClipboard(event.detail.text));
      mine.addEventListener('disconnect', () => {
        // After detach() this is the echo of our own wish.
        if (rfb === mine) events.onProtocolError();
      });
    },
    detach() {
      const old = rfb;
      rfb = undefined;
      stopLooking();
      if (!old) return;
      const live = canvas();
      if (live && drawn) still.capture(live);
      old.disconnect();
    },
    setViewOnly(value) {
      readOnly = value;
      if (rfb) rfb.viewOnly = value;
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
