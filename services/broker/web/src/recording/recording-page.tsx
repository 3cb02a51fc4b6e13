import { useEffect, useState } from 'preact/hooks';
import { api, type Problem } from '../api.ts';
import { BackIcon } from '../components/icons.tsx';
import { recordingPath, recordingsPath, signInPath } from '../paths.ts';
import type { RecordingDetails } from '../recording-types.ts';
import { recordedMachine, recordedUser, recordingProblem, stateTexts } from '../texts/recordings.ts';
import { RecordingActions } from './recording-actions.tsx';
import { RecordingPlayer } from './recording-player.tsx';

/** The page of one recording. */
export function RecordingPage({ id }: { readonly id: string }) {
  const [recording, setRecording] = useState<RecordingDetails | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);

  async function load() {
    setProblem(undefined);
    const answer = await api.recording(id);
    if (answer.ok) {
      document.title = `${recordedUser(answer.value)} on ${recordedMachine(answer.value)} – Porthole`;
      return setRecording(answer.value);
    }
    if (answer.problem.code === 'not_signed_in')
      return location.replace(signInPath(recordingPath(id), 'needed'));
    setProblem(answer.problem);
  }
  useEffect(() => void load(), []);

  return (
    <>
      <header class="recording-header">
        <a class="button quiet" href={recordingsPath}>
          <BackIcon /> Recordings
        </a>
        {recording ? <Title recording={recording} /> : null}
        {recording ? <RecordingActions recording={recording} reload={() => void load()} /> : null}
      </header>
      <main class="recording-main">
        {problem ? (
          <div class="notice" role="alert">
            <h1>The recording could not be opened</h1>
            <p>{recordingProblem(problem)}</p>
            <button type="button" class="button primary" onClick={() => void load()}>
              Try again
            </button>
          </div>
        ) : recording ? (
          <RecordingPlayer recording={recording} />
        ) : (
          <p class="recording-loading" role="status">
            Loading the recording…
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
      <h1>
        {recordedUser(recording)} on {recordedMachine(recording)}
      </h1>
      <p>
        <time dateTime={startedAt}>{new Date(startedAt).toLocaleString()}</time>
        {className === undefined ? null : <span>{className}</span>}
        {stateTexts[state] ? <span class={`recording-state ${state}`}>{stateTexts[state]}</span> : null}
      </p>
    </div>
  );
}
