import { useState } from 'preact/hooks';
import { t } from '../language/t.ts';
import { api } from '../api.ts';
import { basePath } from '../base-path.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { recordingsPath } from '../paths.ts';
import type { RecordingDetails } from '../recording-types.ts';
import { deleteConfirmation, recordingProblem } from '../texts/recordings.ts';

interface RecordingActionsProps {
  readonly recording: RecordingDetails;
  readonly reload: () => void;
}

/** Download, legal hold and deletion. */
export function RecordingActions({ recording, reload }: RecordingActionsProps) {
  const { id, held, mayManage } = recording;
  const [asks, setAsks] = useState(false);
  const [error, setError] = useState('');

  async function hold() {
    const answer = await api.holdRecording(id, !held);
    setError(answer.ok ? '' : recordingProblem(answer.problem));
    if (answer.ok) reload();
  }
  async function remove() {
    const answer = await api.deleteRecording(id);
    if (answer.ok) return location.assign(recordingsPath);
    setError(recordingProblem(answer.problem));
  }

  return (
    <div class="recording-actions">
      <a class="button" href={`${basePath}api/v1/recordings/${id}/download`} download>
        {t('recording.download')}
      </a>
      {mayManage ? (
        <>
          <button type="button" class="button" aria-pressed={held} onClick={() => void hold()}>
            {t(held ? 'recording.removeHold' : 'recording.hold')}
          </button>
          <button
            type="button"
            class="button quiet bad"
            aria-disabled={held}
            title={held ? t('recording.isHeld') : undefined}
            onClick={() => {
              if (!held) setAsks(true);
            }}
          >
            {t('recording.delete')}
          </button>
        </>
      ) : null}
      <p class="recording-error" role="alert">
        {error}
      </p>
      {asks ? (
        <ConfirmDialog
          confirmation={{ ...deleteConfirmation(recording), onConfirm: () => void remove() }}
          onClose={() => setAsks(false)}
        />
      ) : null}
    </div>
  );
}
