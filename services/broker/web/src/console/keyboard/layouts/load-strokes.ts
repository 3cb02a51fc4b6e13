import type { Strokes } from './build-strokes.ts';
import type { GuestLayout } from './layout-list.ts';

/** Loads the tables of layouts, which only users who type text need. */
export async function loadStrokes(layout: GuestLayout): Promise<Strokes> {
  const { buildStrokes } = await import('./build-strokes.ts');
  return buildStrokes(layout);
}
