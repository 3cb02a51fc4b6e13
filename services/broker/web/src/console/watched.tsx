import { EyeIcon } from '../icons.tsx';
import { watchedText } from '../texts.ts';
import type { View } from './view.ts';

/**
 * Says who looks on, small and beside the screen, and as soon as they do: nobody should be watched without knowing.
 * Its place is always there, because a screen reader speaks of changes only in places that it knows.
 */
export function WatchedBadge({ view }: { readonly view: View }) {
  const text = view.state === 'open' ? watchedText(view.facts.watched) : undefined;
  return (
    <div class="watched-place" role="status" aria-live="polite">
      {text ? (
        <p class="watched">
          <EyeIcon /> {text}
        </p>
      ) : null}
    </div>
  );
}
