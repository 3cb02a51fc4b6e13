import type { Problem } from '../api.ts';
import type { Recording, RecordingState } from '../recording-types.ts';

export const stateTexts: Readonly<Record<RecordingState, string | undefined>> = {
  complete: undefined,
  running: 'in progress',
  unfinished: 'no end',
  damaged: 'damaged',
};

export function recordedUser({ user }: Recording): string {
  return user?.displayName ?? user?.id ?? 'Unknown user';
}

export function recordedMachine({ machine }: Recording): string {
  if (!machine) return 'Unknown machine';
  return machine.name ?? (machine.vmid === undefined ? machine.node : `${machine.cluster}/${machine.vmid}`);
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
  const named = parts
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}${value === 1 ? '' : 's'}`);
  return named.length === 0 ? '0 seconds' : named.join(' ');
}

export function recordingProblem({ code, title }: Problem): string {
  if (code === 'network') return 'Porthole is not responding. Check your connection.';
  if (code === 'not_found') return 'This recording does not exist, or you may not see it.';
  return title ?? 'The recording could not be loaded.';
}

export const failedTexts = {
  format: 'This screen was recorded in a format that the player cannot show. Download the recording.',
  stream: 'The recording cannot be shown from here on. Try another time, or download it.',
} as const;

export const damagedNotice =
  'Something before this moment is missing or damaged. The picture can be wrong or stand still.';

export function deleteConfirmation(recording: Recording) {
  return {
    title: `Delete the recording of ${recordedUser(recording)} on ${recordedMachine(recording)}?`,
    advice: 'It cannot be restored.',
    confirmLabel: 'Delete recording',
  };
}
