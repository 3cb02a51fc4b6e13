import { useEffect } from 'preact/hooks';
import { locale } from '../language/locale.ts';
import { t } from '../language/t.ts';
import { FullScreenIcon, LeaveFullScreenIcon, PauseIcon, PlayIcon } from '../components/icons.tsx';
import { timeText } from '../texts/recordings.ts';
import { speeds } from './playback/player.ts';
import type { Timeline } from './playback/timeline.ts';
import type { UsedPlayer } from './use-player.ts';

interface PlayerControlsProps extends Pick<
  UsedPlayer,
  'state' | 'toggle' | 'setSpeed' | 'toggleQuiet' | 'savePicture'
> {
  readonly timeline: Timeline;
  readonly fullScreen: boolean;
  readonly toggleFullScreen: () => void;
  readonly canSavePicture: boolean;
}

export function PlayerControls(props: PlayerControlsProps) {
  const { state, timeline, toggle, setSpeed, toggleQuiet, fullScreen, toggleFullScreen } = props;
  const part = timeline.partAt(state.ms);
  const wallClock =
    part?.startedAt === undefined ? undefined : new Date(part.startedAt + state.ms - part.startMs);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const inDialog = event.target instanceof HTMLElement && event.target.closest('dialog');
      if (event.key !== 'f' || inDialog || event.ctrlKey || event.metaKey || event.altKey) return;
      toggleFullScreen();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });

  return (
    <div class="player-controls" role="group" aria-label={t('player')}>
      <button
        type="button"
        class="button primary player-play"
        aria-label={t(state.playing ? 'player.pause' : 'player.play')}
        onClick={toggle}
      >
        {state.playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <p class="player-time" dir="ltr">
        {timeText(state.ms)} / {timeText(timeline.durationMs)}
        {wallClock ? <span class="player-clock">{wallClock.toLocaleTimeString(locale())}</span> : null}
      </p>
      <div class="player-speeds" role="group" aria-label={t('player.speed')}>
        {speeds.map((speed) => (
          <button
            key={speed}
            type="button"
            class="button quiet"
            aria-pressed={state.speed === speed}
            onClick={() => setSpeed(speed)}
          >
            ×{speed}
          </button>
        ))}
      </div>
      <button type="button" class="button quiet" aria-pressed={state.skipsQuiet} onClick={toggleQuiet}>
        {t('player.skipQuiet')}
      </button>
      {props.canSavePicture ? (
        <button type="button" class="button quiet" onClick={props.savePicture}>
          {t('player.savePicture')}
        </button>
      ) : null}
      <button
        type="button"
        class="icon-button"
        aria-label={t(fullScreen ? 'tools.leaveFullScreen' : 'tools.fullScreen')}
        onClick={toggleFullScreen}
      >
        {fullScreen ? <LeaveFullScreenIcon /> : <FullScreenIcon />}
      </button>
    </div>
  );
}
