import type { Clock } from '@porthole/shared/time/clock';
import type { Link } from '../stream/link.ts';
import type { Capture } from './capture.ts';

/** Shortest time between two keyframes. */
const intervalMs = 60_000;
/** Longest, while anything changes. */
const quietIntervalMs = 10 * 60_000;
/** Between them, keyframes must be less than a twentieth of what is recorded. */
const bytesPerKeyframeByte = 20;

/**
 * Records complete pictures between the bytes of a screen, so that a player can begin there: each minute while much
 * changes, otherwise each ten minutes. Returns what to call with the number of bytes, between two messages or not.
 */
export function createKeyframeRequests(
  recorder: Capture['recorder'],
  clock: Clock,
  request: NonNullable<Link['requestKeyframe']>,
): (bytes: number) => void {
  // A part begins with a complete picture.
  let lastAt = clock.now();
  let bytesSince = 0;
  let keyframeBytes = 0;
  return (bytes) => {
    bytesSince += bytes;
    const elapsed = clock.now() - lastAt;
    if (elapsed < intervalMs) return;
    if (elapsed < quietIntervalMs && bytesSince < bytesPerKeyframeByte * keyframeBytes) return;
    lastAt += elapsed;
    bytesSince = 0;
    request((keyframe) => {
      keyframeBytes = keyframe.bytes.length;
      recorder.record({ type: 'keyframe', ...keyframe });
    });
  };
}
