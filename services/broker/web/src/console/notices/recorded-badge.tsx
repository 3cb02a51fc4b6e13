import { t } from '../../language/t.ts';
import type { View } from '../connection/view.ts';

/**
 * Says that the console is recorded, from before its first picture on, or that it should be and is not. The element is
 * always there, because screen readers announce changes only in elements that they know.
 */
export function RecordedBadge({ view }: { readonly view: View }) {
  const shows = view.state === 'open' || view.state === 'awaiting-frame';
  const recorded = shows ? view.sessionInfo.recorded : undefined;
  return (
    <div class="recorded" role="status" aria-live="polite">
      {recorded === undefined ? null : (
        <p class="recorded-badge" data-recorded={recorded}>
          <span class="recorded-dot" aria-hidden="true" />
          {t(recorded ? 'console.recorded' : 'console.notRecorded')}
        </p>
      )}
    </div>
  );
}
