import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Whether the toolbar is visible, and ways to change that. */
export interface ToolbarTrigger {
  readonly shown: boolean;
  show(): void;
  hide(): void;
}

/** Height of the strip at the window's upper edge that shows the toolbar, in pixels. */
const edgeHeight = 3;
/** The pointer may leave the toolbar by this many pixels. */
const margin = 24;
const firstHideMs = 3000;
const hideMs = 700;

/**
 * Hides the toolbar, which covers a strip of the screen, unless `mayHide` is false. It shows again when the pointer
 * touches the window's upper edge, when one of its controls gets the focus, or by its handle.
 */
export function useToolbarTrigger(bar: RefObject<HTMLElement | null>, mayHide: boolean): ToolbarTrigger {
  const [shown, setShown] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const hideIn = (ms: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (!bar.current?.matches(':focus-within, :hover')) setShown(false);
    }, ms);
  };

  useEffect(() => {
    if (!mayHide) {
      clearTimeout(timer.current);
      setShown(true);
      return;
    }
    hideIn(firstHideMs);
    const onMove = (event: PointerEvent) => {
      const height = bar.current?.offsetHeight ?? 0;
      if (event.pointerType === 'mouse' && event.clientY <= edgeHeight) {
        clearTimeout(timer.current);
        setShown(true);
      } else if (event.clientY > height + margin) hideIn(hideMs);
    };
    const onFocus = () => {
      if (bar.current?.matches(':focus-within')) setShown(true);
      else hideIn(hideMs);
    };
    window.addEventListener('pointermove', onMove, true);
    window.addEventListener('pointerdown', onMove, true);
    document.addEventListener('focusin', onFocus);
    return () => {
      clearTimeout(timer.current);
      window.removeEventListener('pointermove', onMove, true);
      window.removeEventListener('pointerdown', onMove, true);
      document.removeEventListener('focusin', onFocus);
    };
  }, [mayHide]);

  return {
    shown,
    show: () => setShown(true),
    hide: () => {
      clearTimeout(timer.current);
      setShown(false);
    },
  };
}
