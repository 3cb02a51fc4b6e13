import { EyeIcon } from '../../components/icons.tsx';
import { observersText } from '../../texts.ts';
import type { View } from '../connection/view.ts';

/**
 * Says who looks on, small and beside the screen, and as soon as they do: nobody should be watched without knowing.
 * Its place is always there, because a screen reader speaks of changes only in places that it knows.
 */
export function ObserversBadge({ view }: { readonly view: View }) {
  const text = view.state === 'open' ? observersText(view.sessionInfo.observers) : undefined;
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
