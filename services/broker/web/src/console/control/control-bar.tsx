import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { controlAskedText, controlMeaning, controlTitle } from '../../texts/control.ts';
import type { ControlInfo } from './control-info.ts';

interface ControlBarProps {
  readonly control: ControlInfo;
  /** Asks the user who has control to hand it back. */
  readonly ask: () => void;
  readonly handBack: () => void;
}

/** Says who has control of the machine. Always there, so that screen readers announce changes. */
export function ControlBar({ control, ask, handBack }: ControlBarProps) {
  const [hasAsked, setHasAsked] = useState(false);
  useEffect(() => setHasAsked(false), [control?.mine, control?.elsewhere, control?.by]);
  return (
    <div class="control-bar-place" role="status" aria-live="polite">
      {control ? (
        <section class="notice control-bar" aria-label={t('control.label')}>
          <h1>{controlTitle(control)}</h1>
          <p>{hasAsked ? controlAskedText(control.by) : controlMeaning(control)}</p>
          {control.mine || control.elsewhere ? (
            <button type="button" class="button" onClick={handBack}>
              {t('control.handBack')}
            </button>
          ) : null}
          {control.ask && !hasAsked ? (
            <button
              type="button"
              class="button"
              onClick={() => {
                ask();
                setHasAsked(true);
              }}
            >
              {t('control.ask')}
            </button>
          ) : null}
        </section>
      ) : null}
    </div>
  );
}
