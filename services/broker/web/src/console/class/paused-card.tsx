import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { PauseIcon } from '../../components/icons.tsx';
import { pausedTitle } from '../../texts/class.ts';
import { timeLeft } from '../../texts/console.ts';
import type { Paused } from './class-info.ts';

/** Covers the picture while the class is paused, and says why typing does nothing. */
export function PausedCard({ paused }: { readonly paused: Paused }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((round) => round + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const secondsLeft = Math.max(0, Math.ceil((paused.until - Date.now()) / 1000));
  return (
    <div class="veil" data-paused>
      <section class="card" aria-labelledby="paused-title">
        <span class="card-icon">
          <PauseIcon />
        </span>
        <h1 id="paused-title">{pausedTitle(paused.by)}</h1>
        {paused.text ? (
          <p class="paused-text" dir="auto">
            {paused.text}
          </p>
        ) : null}
        <p>{t('myClass.pausedMeans')}</p>
        <p class="countdown">
          {t('myClass.goesOnIn')}{' '}
          <span role="timer" aria-live="off">
            {timeLeft(secondsLeft)}
          </span>
        </p>
      </section>
    </div>
  );
}
