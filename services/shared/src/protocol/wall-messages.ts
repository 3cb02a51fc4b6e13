import { z } from 'zod';
import { maxWallSeats } from '../grant/wall-claims.ts';

/** Text frames of the subprotocol `porthole.wall.v1` (docs/protocol.md). Binary frames are pictures. */

/**
 * Why a seat has no current picture: its screen is being opened, its machine is off, or the screen cannot be shown.
 * `live`: pictures follow.
 */
export const seatStates = ['opening', 'live', 'off', 'failed'] as const;
export type SeatState = (typeof seatStates)[number];

/** From relay to page. */
export const wallMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('seat'), seat: z.number().int().nonnegative(), state: z.enum(seatStates) }),
  /** The class has changed: what `GET /api/v1/classes` answers is not current. */
  z.object({ type: z.literal('class') }),
  z.object({ type: z.literal('pong') }),
]);
export type WallMessage = z.infer<typeof wallMessage>;

/** From page to relay. Any other frame violates the protocol. */
export const wallClientMessage = z.discriminatedUnion('type', [
  /** From now on, exactly these seats are shown. The others cost nothing. */
  z.strictObject({
    type: z.literal('show'),
    seats: z.array(z.number().int().min(0).max(65_535)).max(maxWallSeats),
  }),
  /** The token of a wall grant for this wall: its user may still see the machines in it. */
  z.strictObject({ type: z.literal('renew'), token: z.string().max(64) }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type WallClientMessage = z.infer<typeof wallClientMessage>;
