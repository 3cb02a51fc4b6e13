import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../language/t.ts';
import type { RecordingDetails } from '../recording-types.ts';
import { recordingProblem } from '../texts/recordings.ts';
import { PlayerBar } from './player-bar.tsx';
import { PlayerControls } from './player-controls.tsx';
import { createTimeline } from './playback/timeline.ts';
import { usePlayer } from './use-player.ts';

/** The picture, the bar and the controls. */
export function RecordingPlayer({ recording }: { readonly recording: RecordingDetails }) {
  // A legal hold loads the recording again, but does not begin it again.
  const timeline = useMemo(() => createTimeline(recording), [recording.id]);
  const stage = useRef<HTMLDivElement>(null);
  const player = usePlayer(recording, timeline);
  const { state, failed } = player;
  const [fullScreen, setFullScreen] = useState(false);

  useEffect(() => {
    const onChange = () => setFullScreen(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);
  const toggleFullScreen = () =>
    void (fullScreen ? document.exitFullscreen() : stage.current?.requestFullscreen())?.catch(() => {});

  return (
    <div
      class="player"
      ref={stage}
      data-ms={Math.round(state.ms)}
      data-busy={state.busy}
      data-playing={state.playing}
    >
      <div class="player-screen" dir="ltr" onClick={player.toggle}>
        <div ref={player.target} class="player-target" />
        <canvas ref={player.frozen} class="player-frozen" hidden aria-hidden="true" />
        {state.busy ? (
          <p class="player-busy" role="status">
            {t('player.seeking')}
          </p>
        ) : null}
      </div>
      <div class="player-notices" role="alert">
        {failed ? <p>{t(failed === 'format' ? 'player.badFormat' : 'player.badStream')}</p> : null}
        {state.problem ? <p>{recordingProblem(state.problem)}</p> : null}
        {state.damaged ? <p>{t('player.damaged')}</p> : null}
      </div>
      <PlayerBar timeline={timeline} ms={state.ms} seek={player.seek} />
      <PlayerControls
        {...player}
        timeline={timeline}
        fullScreen={fullScreen}
        toggleFullScreen={toggleFullScreen}
        canSavePicture={recording.kind !== 'terminal'}
      />
    </div>
  );
}
