import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface ToolbarTrigger {
  readonly shown: boolean;
  show(): void;
  hide(): void;
}

const edge = 3;
const lingerFirst = 3000;
const linger = 700;

/**
 * The toolbar covers a strip of the machine's screen, so it goes away by itself and comes back when the
 * pointer touches the window's upper edge, when something in it gets the focus, or by its handle.
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
    hideIn(lingerFirst);
    const onMove = (event: PointerEvent) => {
      const height = bar.current?.offsetHeight ?? 0;
      if (event.pointerType === 'mouse' && event.clientY <= edge) {
        clearTimeout(timer.current);
        setShown(true);
      } else if (event.clientY > height + 24) hideIn(linger);
    };
    const onFocus = () => {
      if (bar.current?.matches(':focus-within')) setShown(true);
      else hideIn(linger);
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
