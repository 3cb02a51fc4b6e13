import { PortholeError } from '@porthole/shared/errors';
import { ViewerLeft } from './lifecycle.ts';
import type { StreamEnd } from './stream-console.ts';

/**
 * Returns why the session of a shared screen has ended. The screen knows, because it has tried to open the console again.
 * If it can't tell, its relay was lost, and the viewer finds or makes another one.
 */
export function endOfScreen({
  by,
  error,
}: Exclude<StreamEnd, { readonly by: 'parking' }>): PortholeError | ViewerLeft {
  if (by === 'viewer') return error ?? new ViewerLeft();
  if (error && error.code !== 'console_timeout') return error;
  return new PortholeError('screen_moved', { cause: error });
}
