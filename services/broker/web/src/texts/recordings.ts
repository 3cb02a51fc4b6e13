import type { Problem } from '../api.ts';
import { unitText } from '../language/formats.ts';
import { t } from '../language/t.ts';
import type { Moment } from '../recording/playback/timeline.ts';
import type { Recording, RecordingState } from '../recording-types.ts';
import { problemTitle } from './server-texts.ts';

/** Undefined for a complete recording. */
export function stateText(state: RecordingState): string | undefined {
  return state === 'complete' ? undefined : t(`recording.${state}`);
}

export function recordedUser({ user }: Recording): string {
  return user?.displayName ?? user?.id ?? t('recording.unknownUser');
}

export function recordedMachine({ machine }: Recording): string {
  if (!machine) return t('recording.unknownMachine');
  return machine.name ?? (machine.vmid === undefined ? machine.node : `${machine.cluster}/${machine.vmid}`);
}

/** User and machine as parameters of a message. */
export function recordingNames(recording: Recording): { readonly user: string; readonly machine: string } {
  return { user: recordedUser(recording), machine: recordedMachine(recording) };
}

/** "1:02:03", or "2:03" below an hour. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** For screen readers: "1 hour 2 minutes 3 seconds". */
export function spokenTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  const named = parts.filter(([value]) => value > 0).map(([value, unit]) => unitText(value, unit));
  return named.length === 0 ? unitText(0, 'second') : named.join(' ');
}

export function recordingProblem(problem: Problem): string {
  if (problem.code === 'network') return t('recording.portholeSilent');
  if (problem.code === 'not_found') return t('recording.notFound');
  return problemTitle(problem) ?? t('recording.notLoaded');
}

const damages = ['missing_part', 'missing_chunk', 'missing_index', 'damaged_index', 'unknown_key'] as const;

/** What happened at a moment of the recording. */
export function momentText({ what }: Moment): string {
  switch (what.name) {
    case 'part':
      return t('player.part', { number: what.number });
    case 'unreadable-index':
      return t('player.unreadableIndex');
    case 'observer':
      return t(what.joined ? 'player.observes' : 'player.stoppedObserving', { user: what.user });
    case 'mark':
      if (what.text !== '') return what.text;
      return what.mark === 'gap' || what.mark === 'stopped' ? t(`player.${what.mark}`) : what.mark;
    case 'problem': {
      const known = damages.find((each) => each === what.problem);
      return known ? t(`player.${known}`) : what.problem;
    }
    default:
      return what satisfies never;
  }
}

export function deleteConfirmation(recording: Recording) {
  return {
    title: t('recording.deleteAsk', recordingNames(recording)),
    advice: t('recording.deleteAdvice'),
    confirmLabel: t('recording.deleteConfirm'),
  };
}
