import type { SeatState } from '@porthole/shared/protocol/wall-messages';
import type { Seat } from '../class-types.ts';
import { t } from '../language/t.ts';

/** What stands over the picture of a seat, or in its place. Empty for a live picture. */
export function pictureText(
  { state: seatState, machine }: Pick<Seat, 'state' | 'machine'>,
  state: SeatState | undefined,
  hasPicture: boolean,
): string {
  if (machine.type !== 'qemu') return t('seat.noContainerPicture');
  if (seatState === 'off' || state === 'off') return t('seat.machineOff');
  if (state === 'failed') return t('seat.noPicture');
  if (state === 'opening' || (state === 'live' && !hasPicture))
    return hasPicture ? t('seat.reconnecting') : t('seat.connecting');
  return state === undefined && hasPicture ? t('seat.notLive') : '';
}

/** For screen readers: contains the text that is shown. */
export function pictureLabel(name: string, text: string, hasPicture: boolean): string {
  const state = text || t(hasPicture ? 'seat.isLive' : 'seat.isWithoutPicture');
  return t('seat.lookAt', { name, state });
}
