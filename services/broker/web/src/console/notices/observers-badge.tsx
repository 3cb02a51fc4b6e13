import { EyeIcon } from '../../components/icons.tsx';
import { observersText } from '../../texts/sessions.ts';
import type { View } from '../connection/view.ts';

/**
 * Names the observers of this console as soon as they watch. The element is always there, because screen readers
 * announce changes only in elements that they know.
 */
export function ObserversBadge({ view }: { readonly view: View }) {
  const text = view.state === 'open' ? observersText(view.sessionInfo.observers) : undefined;
  return (
    <div class="observers" role="status" aria-live="polite">
      {text ? (
        <p class="observers-badge">
          <EyeIcon /> {text}
        </p>
      ) : null}
    </div>
  );
}
