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
    <section class="class-panel" aria-label="Begin and end">
      {may.includes('start') ? (
        <button
          type="button"
          class="button"
          aria-disabled={busy || starting?.running === true || !anyOff}
          onClick={() => {
            if (!starting?.running && anyOff) void act({ action: 'start' });
          }}
        >
          <PowerIcon /> Start all machines
        </button>
      ) : null}
      {may.includes('end') && !ending ? (
        <button type="button" class="button quiet bad" onClick={askToEnd}>
          <CloseIcon /> End class
        </button>
      ) : null}
      {ending ? (
        <p class="class-ending">
          <strong>The class ends in</strong> <Countdown until={ending.at} />
          {may.includes('cancel_end') ? (
            <button
              type="button"
              class="button"
              aria-disabled={busy}
              onClick={() => void act({ action: 'cancel_end' })}
            >
              Keep the class open
            </button>
          ) : null}
        </p>
      ) : null}
      {details.timetable ? <p class="class-timetable">{timetableText(details.timetable)}</p> : null}
      <span class="class-progress" role="status">
        {starting ? startProgress(starting) : ''}
        {starting?.running ? (
          <progress
            aria-label="Machines started"
            value={starting.started + starting.failed}
            max={Math.max(1, starting.total)}
          />
        ) : null}
      </span>
    </section>
  );
}
