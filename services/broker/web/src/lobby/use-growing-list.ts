import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Rows that are added at a time: more than fit on a large screen. */
const step = 100;
/** Rows are added before the end of the list comes into view. */
const margin = '1500px';

/** A row's place in the whole list, of which only a part may be rendered. For screen readers. */
export interface RowPlace {
  readonly position: number;
  readonly total: number;
}

export interface GrowingList {
  /** The number of rows to render. */
  readonly rendered: number;
  /** Goes to an element behind the rows, and must be rendered while there are more. */
  readonly end: RefObject<HTMLDivElement | null>;
}

/**
 * Renders only the beginning of a long list, and more of it as its end comes into view. So the first picture and each
 * key in a search take the same time with ten machines and with thousands. Rows stay once they are rendered, so the
 * focus and the browser's own search do not lose them. Another `key` starts from the beginning.
 */
export function useGrowingList(total: number, key: string): GrowingList {
  const [grown, setGrown] = useState({ key, rows: step });
  const end = useRef<HTMLDivElement>(null);
  const rows = grown.key === key ? grown.rows : step;
  const hasMore = rows < total;

  useEffect(() => {
    if (!hasMore || !end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setGrown({ key, rows: rows + step });
      },
      { rootMargin: margin },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, key, rows]);

  return { rendered: Math.min(rows, total), end };
}
