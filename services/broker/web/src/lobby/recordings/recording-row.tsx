import { dateTimeText } from '../../language/formats.ts';
import { t } from '../../language/t.ts';
import { recordingPath } from '../../paths.ts';
import type { Recording } from '../../recording-types.ts';
import {
  recordedMachine,
  recordedUser,
  recordingNames,
  stateText,
  timeText,
} from '../../texts/recordings.ts';
import { trafficText } from '../../texts/sessions.ts';
import { Avatar } from '../avatar.tsx';

export function RecordingRow({ recording }: { readonly recording: Recording }) {
  const { id, user, machine, startedAt, durationSeconds, bytes, state, held, kind } = recording;
  const name = recordedUser(recording);
  const stateLabel = stateText(state);
  const facts = [
    timeText(durationSeconds * 1000),
    trafficText({ toViewer: bytes, toMachine: 0 }),
    ...(kind === 'terminal' ? [t('recording.terminal')] : []),
    ...(recording.class === undefined ? [] : [recording.class]),
  ];
  return (
    <li class="session" data-recording={id}>
      <Avatar name={name} />
      <span class="session-user">
        <span class="session-name" title={user?.id}>
          {name}
        </span>
        <span class="machine-facts">
          <time dateTime={startedAt}>{dateTimeText(startedAt)}</time>
        </span>
      </span>
      <span class="session-machine">
        <span class="session-name">
          {recordedMachine(recording)} <span class="vmid">{machine?.vmid}</span>
        </span>
        <span class="machine-facts">
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </span>
        {stateLabel !== undefined || held ? (
          <span class={`badge ${state === 'damaged' ? 'damaged' : ''}`}>
            {stateLabel !== undefined && held
              ? t('joined', { first: stateLabel, second: t('recording.held') })
              : (stateLabel ?? t('recording.held'))}
          </span>
        ) : null}
      </span>
      <span class="session-actions">
        <a
          class="button"
          href={recordingPath(id)}
          aria-label={t('recording.openLong', recordingNames(recording))}
        >
          {t('recording.open')}
        </a>
      </span>
    </li>
  );
}
