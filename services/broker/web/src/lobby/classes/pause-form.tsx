import { classLimits } from '@porthole/shared/class/limits';
import { useState } from 'preact/hooks';
import { aroundElement, elementMark } from '../../language/around-element.tsx';
import { unitText } from '../../language/formats.ts';
import { t } from '../../language/t.ts';
import type { ClassDetails } from '../../class-types.ts';
import { PauseIcon } from '../../components/icons.tsx';
import { Countdown } from './countdown.tsx';
import type { ClassActions } from './use-class-actions.ts';

const durations = [60, 300, 600, 900, 1800, 3600] as const;
const defaultSeconds = 600;

interface PauseFormProps extends Pick<ClassActions, 'act' | 'busy'> {
  readonly paused: ClassDetails['paused'];
}

/** Pauses the class at one click, with a text and a time if the instructor likes. */
export function PauseForm({ paused, act, busy }: PauseFormProps) {
  const [text, setText] = useState('');
  const [seconds, setSeconds] = useState(defaultSeconds);
  if (paused)
    return (
      <section class="class-panel class-paused" aria-label={t('class.pause')}>
        <p>
          <strong>{t('class.paused')}</strong>{' '}
          {aroundElement(t('class.pausedFor', { time: elementMark }), <Countdown until={paused.until} />)}
          {paused.text ? <span class="class-quote">{paused.text}</span> : null}
        </p>
        <button
          type="button"
          class="button primary"
          aria-disabled={busy}
          onClick={() => void act({ action: 'resume' })}
        >
          {t('class.resume')}
        </button>
      </section>
    );
  return (
    <form
      class="class-panel"
      aria-label={t('class.pause')}
      onSubmit={(event) => {
        event.preventDefault();
        void act({ action: 'pause', seconds, text: text.trim() });
      }}
    >
      <label class="class-field">
        <span>{t('class.pauseText')}</span>
        <input
          type="text"
          maxLength={classLimits.text}
          placeholder={t('class.optional')}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <label class="class-field class-field-short">
        <span>{t('class.time')}</span>
        <select value={String(seconds)} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
          {durations.map((each) => (
            <option key={each} value={String(each)}>
              {unitText(each / 60, 'minute')}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button primary" aria-disabled={busy}>
        <PauseIcon /> {t('class.pauseAll')}
      </button>
    </form>
  );
}
