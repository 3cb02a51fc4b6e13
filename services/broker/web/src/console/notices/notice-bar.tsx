import { useEffect, useState } from 'preact/hooks';
import { extendLabel, noticeText, timeLeft } from '../../texts.ts';
import { mostUrgent } from './notices.ts';
import type { View } from '../connection/view.ts';

interface NoticeBarProps {
  readonly view: View;
  readonly extend: () => void;
  /** Where the keyboard goes when the notice was answered. */
  readonly leave: () => void;
}

/** Says that the console is about to end, beside the screen and not in front of it; work goes on meanwhile. */
export function NoticeBar({ view, extend, leave }: NoticeBarProps) {
  const announced = view.state === 'open' ? mostUrgent(view.notices) : undefined;
  const [, drawAgain] = useState(0);
  useEffect(() => {
    if (!announced) return;
    const timer = setInterval(() => drawAgain((round) => round + 1), 500);
    return () => clearInterval(timer);
  }, [announced?.endsAt]);
  if (!announced) return null;
  // Read when it is drawn: a time that was remembered would show a second too many at first.
  const secondsLeft = Math.max(0, Math.ceil((announced.endsAt - Date.now()) / 1000));

  return (
    <section class="notice" aria-label={noticeText[announced.notice]}>
      <p>
        {noticeText[announced.notice]}{' '}
        <span class="notice-left" role="timer" aria-live="off">
          {timeLeft(secondsLeft)}
        </span>
      </p>
      {announced.extend ? (
        <button
          type="button"
          class="button"
          onClick={() => {
            extend();
            leave();
          }}
        >
          {extendLabel}
        </button>
      ) : null}
    </section>
  );
}
