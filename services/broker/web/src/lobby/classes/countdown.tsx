import { useEffect, useState } from 'preact/hooks';
import { timeLeft } from '../../texts/console.ts';

/** The time that is left, without announcing each second. */
export function Countdown({ until }: { readonly until: string }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((round) => round + 1), 500);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000));
  return (
    <span class="class-countdown" role="timer" aria-live="off">
      {timeLeft(seconds)}
    </span>
  );
}
