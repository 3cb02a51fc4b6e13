import { useEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../language/t.ts';
import { momentText, spokenTime, timeText } from '../texts/recordings.ts';
import type { Timeline } from './playback/timeline.ts';

interface PlayerBarProps {
  readonly timeline: Timeline;
  readonly ms: number;
  readonly seek: (ms: number) => void;
}

const columns = 300;
const height = 40;

/** The bar of activity. A click goes to a time; the keys of the page do, too. */
export function PlayerBar({ timeline, ms, seek }: PlayerBarProps) {
  const { durationMs, moments } = timeline;
  const canvas = useRef<HTMLCanvasElement>(null);
  const activity = useMemo(() => timeline.activity(columns), [timeline]);
  const place = (at: number) => `${durationMs === 0 ? 0 : (at / durationMs) * 100}%`;

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context) return;
    const style = getComputedStyle(canvas.current);
    context.clearRect(0, 0, columns, height);
    for (const [column, { bytes, hasKeys, hasPointer }] of activity.entries()) {
      context.fillStyle = style.getPropertyValue('--bar-activity');
      const tall = bytes * (height - 10);
      context.fillRect(column, height - 8 - tall, 1, tall);
      if (hasKeys || hasPointer) {
        context.fillStyle = style.getPropertyValue(hasKeys ? '--bar-keys' : '--bar-pointer');
        context.fillRect(column, height - 6, 1, 4);
      }
    }
  }, [activity]);

  function seekTo(event: { readonly clientX: number; readonly currentTarget: HTMLElement }) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek(((event.clientX - left) / width) * durationMs);
  }

  return (
    <div class="player-bar">
      <div
        class="player-track"
        dir="ltr"
        role="slider"
        tabindex={0}
        aria-label={t('player.time')}
        aria-valuemin={0}
        aria-valuemax={Math.round(durationMs / 1000)}
        aria-valuenow={Math.round(ms / 1000)}
        aria-valuetext={t('player.timeOf', { time: spokenTime(ms), total: spokenTime(durationMs) })}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          seekTo(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
        }}
      >
        <canvas ref={canvas} width={columns} height={height} aria-hidden="true" />
        {moments.map((moment, index) => (
          <Mark
            key={index}
            kind={moment.kind}
            text={`${timeText(moment.ms)} ${momentText(moment)}`}
            left={place(moment.ms)}
          />
        ))}
        <Mark kind="now" text="" left={place(ms)} />
      </div>
      {moments.length > 0 ? (
        <details class="player-moments">
          <summary>
            {t(moments.some(({ kind }) => kind === 'damage') ? 'player.eventsWithDamage' : 'player.events', {
              count: moments.length,
            })}
          </summary>
          <ul>
            {moments.map((moment, index) => (
              <li key={index} data-kind={moment.kind}>
                <button type="button" class="button quiet" onClick={() => seek(moment.ms)}>
                  {timeText(moment.ms)}
                </button>
                {momentText(moment)}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </div>
  );
}

interface MarkProps {
  readonly kind: string;
  readonly text: string;
  readonly left: string;
}

/** The content security policy forbids style attributes in markup, so this sets the style object. */
function Mark({ kind, text, left }: MarkProps) {
  const mark = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (mark.current) mark.current.style.left = left;
  }, [left]);
  return <span ref={mark} class="player-mark" data-kind={kind} title={text} aria-hidden="true" />;
}
