import { t } from '../../language/t.ts';
import type { ClassDetails } from '../../class-types.ts';
import { CloseIcon, PowerIcon } from '../../components/icons.tsx';
import { timetableText } from '../../texts/lessons.ts';
import { startProgress } from '../../texts/class-page.ts';
import { Countdown } from './countdown.tsx';
import type { ClassActions } from './use-class-actions.ts';

interface BeginAndEndProps extends Pick<ClassActions, 'act' | 'busy'> {
  readonly details: ClassDetails;
  readonly askToEnd: () => void;
}

export function BeginAndEnd({ details, act, busy, askToEnd }: BeginAndEndProps) {
  const { may, starting, ending, seats } = details;
  const anyOff = seats.some(({ state }) => state === 'off');
  return (
    <section class="class-panel" aria-label={t('class.beginAndEnd')}>
      {may.includes('start') ? (
        <button
          type="button"
          class="button"
          aria-disabled={busy || starting?.running === true || !anyOff}
          onClick={() => {
            if (!starting?.running && anyOff) void act({ action: 'start' });
          }}
        >
          <PowerIcon /> {t('class.startAll')}
        </button>
      ) : null}
      {may.includes('end') && !ending ? (
        <button type="button" class="button quiet bad" onClick={askToEnd}>
          <CloseIcon /> {t('class.end')}
        </button>
      ) : null}
      {ending ? (
        <p class="class-ending">
          <strong>{t('class.endsIn')}</strong> <Countdown until={ending.at} />
          {may.includes('cancel_end') ? (
            <button
              type="button"
              class="button"
              aria-disabled={busy}
              onClick={() => void act({ action: 'cancel_end' })}
            >
              {t('class.keepOpen')}
            </button>
          ) : null}
        </p>
      ) : null}
      {details.timetable ? <p class="class-timetable">{timetableText(details.timetable)}</p> : null}
      <span class="class-progress" role="status">
        {starting ? startProgress(starting) : ''}
        {starting?.running ? (
          <progress
            aria-label={t('class.started')}
            value={starting.started + starting.failed}
            max={Math.max(1, starting.total)}
          />
        ) : null}
      </span>
    </section>
  );
}
