import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClassDetails } from '../class-types.ts';
import { lessonNewsText } from '../texts/lessons.ts';
import { currentNews, shownTexts, updateLessonTimes, type LessonTime } from './lesson-times.ts';

const tickMs = 1000;

interface LessonNewsProps {
  readonly classes: readonly ClassDetails[] | undefined;
  /** On a console, news must not cover the machine for long. Default: as long as it is news. */
  readonly showMs?: number;
}

/**
 * Says that a lesson begins or ends, shortly before and after it. The element is always there, because screen readers
 * announce changes only in elements that they know; the texts name times and don't count down, so each is read once.
 */
export function LessonNews({ classes, showMs = Infinity }: LessonNewsProps) {
  const shownSince = useRef(new Map<string, number>());
  const times = useRef<readonly LessonTime[]>([]);
  const [texts, setTexts] = useState<readonly string[]>([]);

  useEffect(() => {
    if (classes) times.current = updateLessonTimes(times.current, classes, Date.now());
    const tell = () => {
      const now = Date.now();
      const news = currentNews(times.current, now).map((time) => lessonNewsText(time, now));
      const next = shownTexts(shownSince.current, news, { now, showMs });
      setTexts((shown) => (shown.join('\n') === next.join('\n') ? shown : next));
    };
    tell();
    const timer = setInterval(tell, tickMs);
    return () => clearInterval(timer);
  }, [classes, showMs]);

  return (
    <div class="lesson-news" role="status" aria-live="polite">
      {texts.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </div>
  );
}
