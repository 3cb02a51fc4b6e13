import { isRecordingId } from '@porthole/shared/recording/names';

/**
 * Objects beside the parts of a recording. Each is written before its writer looks for the other one, so a hold and a deletion that
 * begin at the same time never both succeed, without a lock that the command line would need Redis for.
 */
export const holdName = (recording: string): string => `${recording}/hold`;
export const deletionName = (recording: string): string => `${recording}/deletion`;

export type Marker = 'hold' | 'deletion';

/** The marker that an object's name stands for. */
export function markerOf(name: string): Marker | undefined {
  const [recording = '', last, ...rest] = name.split('/');
  if (!isRecordingId(recording) || rest.length > 0) return undefined;
  return last === 'hold' || last === 'deletion' ? last : undefined;
}
