import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import type { Seat } from '../class-types.ts';
import { largeViewTexts } from './large-view.ts';

/** What stands over the picture of a seat, or in its place. Empty for a live picture. */
export function pictureText(
  { state: seatState, machine }: Pick<Seat, 'state' | 'machine'>,
  state: SeatState | undefined,
  hasPicture: boolean,
): string {
  if (machine.type !== 'qemu') return 'Containers have no picture';
  if (seatState === 'off' || state === 'off') return 'The machine is off';
  if (state === 'failed') return 'No picture';
  if (state === 'opening' || (state === 'live' && !hasPicture))
    return hasPicture ? 'Reconnecting…' : 'Connecting…';
  return state === undefined && hasPicture ? 'Not live' : '';
}

/** For screen readers: contains the text that is shown. */
export function pictureLabel(name: string, text: string, hasPicture: boolean): string {
  return `${largeViewTexts.look} at ${name}: ${text || (hasPicture ? 'live' : 'no picture')}`;
}
