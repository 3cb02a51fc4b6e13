import type { SeatState, WallMessage } from '@porthole/shared/protocol/wall-messages';

// A record, so that the compiler reports a state that was added to the protocol and not here.
const states: Record<SeatState, true> = { opening: true, live: true, off: true, failed: true };

/** Parses a text frame of a wall. Returns undefined for a message that this page does not know. */
export function parseWallMessage(text: string): WallMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, seat, state } = value as Record<string, unknown>;
  if (type === 'pong' || type === 'class') return { type };
  if (type !== 'seat' || typeof seat !== 'number' || !isState(state)) return undefined;
  return { type, seat, state };
}

const isState = (value: unknown): value is SeatState =>
  typeof value === 'string' && Object.hasOwn(states, value);

export interface WallPicture {
  readonly seat: number;
  readonly width: number;
  readonly height: number;
  readonly image: Blob;
}

const headerBytes = 7;
const jpegFormat = 1;

/** Parses a binary frame of a wall. Undefined for a format that this page does not know. */
export function parseWallPicture(bytes: ArrayBuffer): WallPicture | undefined {
  if (bytes.byteLength <= headerBytes) return undefined;
  const view = new DataView(bytes);
  if (view.getUint8(6) !== jpegFormat) return undefined;
  return {
    seat: view.getUint16(0),
    width: view.getUint16(2),
    height: view.getUint16(4),
    image: new Blob([new Uint8Array(bytes, headerBytes)], { type: 'image/jpeg' }),
  };
}
