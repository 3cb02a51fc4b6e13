import { useEffect, useState } from 'preact/hooks';
import { currentLanguage } from '../language/current-language.ts';
import { dateTimeText } from '../language/formats.ts';
import { LanguageMenu } from '../language/language-menu.tsx';
import { t } from '../language/t.ts';
import { useLanguage } from '../language/use-language.ts';
import { api, type Problem } from '../api.ts';
import { BackIcon } from '../components/icons.tsx';
import { recordingPath, recordingsPath, signInPath } from '../paths.ts';
import type { RecordingDetails } from '../recording-types.ts';
import { recordingNames, recordingProblem, stateText } from '../texts/recordings.ts';
import { RecordingActions } from './recording-actions.tsx';
import { RecordingPlayer } from './recording-player.tsx';

/** The page of one recording. */
export function RecordingPage({ id }: { readonly id: string }) {
  useLanguage();
  const [recording, setRecording] = useState<RecordingDetails | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);

  async function load() {
    setProblem(undefined);
    const answer = await api.recording(id);
    if (answer.ok) return setRecording(answer.value);
    if (answer.problem.code === 'not_signed_in')
      return location.replace(signInPath(recordingPath(id), 'needed'));
    setProblem(answer.problem);
  }
  useEffect(() => void load(), []);
  useEffect(() => {
    if (recording) document.title = `${t('recording.title', recordingNames(recording))} – Porthole`;
  }, [recording, currentLanguage()]);

  return (
    <>
      <header class="recording-header">
        <a class="button quiet" href={recordingsPath}>
          <BackIcon /> {t('recordings')}
        </a>
        {recording ? <Title recording={recording} /> : null}
        {recording ? <RecordingActions recording={recording} reload={() => void load()} /> : null}
        <LanguageMenu />
      </header>
      <main class="recording-main">
        {problem ? (
          <div class="notice" role="alert">
            <h1>{t('recording.notOpened')}</h1>
            <p>{recordingProblem(problem)}</p>
            <button type="button" class="button primary" onClick={() => void load()}>
              {t('tryAgain')}
            </button>
          </div>
        ) : recording ? (
          <RecordingPlayer recording={recording} />
        ) : (
          <p class="recording-loading" role="status">
            {t('recording.loading')}
          </p>
        )}
      </main>
    </>
  );
}

function Title({ recording }: { readonly recording: RecordingDetails }) {
  const { startedAt, class: className, state } = recording;
  return (
    <div class="recording-title">
      <h1>{t('recording.title', recordingNames(recording))}</h1>
      <p>
        <time dateTime={startedAt}>{dateTimeText(startedAt)}</time>
        {className === undefined ? null : <span>{className}</span>}
        {state === 'complete' ? null : <span class={`recording-state ${state}`}>{stateText(state)}</span>}
      </p>
    </div>
  );
}
