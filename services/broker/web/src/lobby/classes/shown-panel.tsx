import { t } from '../../language/t.ts';
import type { ClassDetails } from '../../class-types.ts';
import { EyeIcon } from '../../components/icons.tsx';
import { shownToClassText } from '../../texts/class-page.ts';
import { Countdown } from './countdown.tsx';
import type { ClassActions } from './use-class-actions.ts';

interface ShownPanelProps extends Pick<ClassActions, 'act' | 'busy'> {
  readonly details: Pick<ClassDetails, 'may' | 'shown'>;
}

/** What the members see now, and how to stop it. Always there, so that screen readers announce changes. */
export function ShownPanel({ details: { may, shown }, act, busy }: ShownPanelProps) {
  return (
    <div class="class-shown" role="status">
      {shown ? (
        <section class="class-panel class-paused" aria-label={t('class.shown')}>
          <p class="class-ending">
            <EyeIcon /> <strong>{shownToClassText(shown)}</strong> {t('class.shownEndsIn')}{' '}
            <Countdown until={shown.until} />
          </p>
          {may.includes('stop_showing') ? (
            <button
              type="button"
              class="button primary"
              aria-disabled={busy}
              onClick={() => void act({ action: 'stop_showing' })}
            >
              {t('class.stopShowing')}
            </button>
          ) : null}
        </section>
      ) : null}
    </div>
  );
}
