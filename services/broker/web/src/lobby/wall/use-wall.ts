import { systemClock } from '@porthole/shared/time/clock';
import { useEffect, useMemo } from 'preact/hooks';
import { api } from '../../api.ts';
import { Wall } from './wall.ts';

const pageIsVisible = () => document.visibilityState === 'visible';

/** The wall of a class, for as long as its page is open. */
export function useWall(className: string, onClassChanged: () => void): Wall {
  const wall = useMemo(
    () =>
      new Wall({
        clock: systemClock,
        requestGrant: (renews) => api.openWall(className, renews),
        onClassChanged,
        pageIsVisible,
        decode: (image) => createImageBitmap(image),
      }),
    [className],
  );
  useEffect(() => {
    const onVisibility = () => wall.onPageVisibility();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      wall.stop();
    };
  }, [wall]);
  return wall;
}
