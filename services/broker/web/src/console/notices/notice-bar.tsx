import { useEffect, useState } from 'preact/hooks';
import { t } from '../../language/t.ts';
import { timeLeft } from '../../texts/console.ts';
import type { View } from '../connection/view.ts';
import { mostUrgent } from './notices.ts';

interface NoticeBarProps {
  readonly view: View;
  readonly extend: () => void;
  /** Returns the keyboard to the machine. */
  readonly focusDisplay: () => void;
}

/** Announces the console's end beside the screen, so that work can go on. */
export function NoticeBar({ view, extend, focusDisplay }: NoticeBarProps) {
  const notice = view.state === 'open' ? mostUrgent(view.notices) : undefined;
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!notice) return;
    const timer = setInterval(() => redraw((round) => round + 1), 500);
    return () => clearInterval(timer);
  }, [notice?.endsAt]);
  if (!notice) return null;
  // Computed while drawing: a remembered time would show a second too many at first.
  const secondsLeft = Math.max(0, Math.ceil((notice.endsAt - Date.now()) / 1000));

  return (
    <section class="notice" aria-label={t(`notice.${notice.notice}`)}>
      <p>
        {t(`notice.${notice.notice}`)}{' '}
        <span class="notice-left" role="timer" aria-live="off">
          {timeLeft(secondsLeft)}
        </span>
      </p>
      {notice.extend ? (
        <button
          type="button"
          class="button"
          onClick={() => {
            extend();
            focusDisplay();
          }}
        >
          {t('notice.extend')}
        </button>
      ) : null}
    </section>
  );
}
