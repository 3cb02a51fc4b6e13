import { z } from 'zod';
import { grantClaims } from './claims.ts';

/** Seats of one wall. */
export const maxWallSeats = 200;

/** A machine that a wall may show. `seat` identifies it on the wall's WebSocket. */
export const wallSeat = z.object({
  seat: z.number().int().min(0).max(65_535),
  cluster: grantClaims.shape.cluster,
  node: grantClaims.shape.node,
  type: grantClaims.shape.type,
  vmid: grantClaims.shape.vmid,
  machineName: grantClaims.shape.machineName,
});
export type WallSeat = z.infer<typeof wallSeat>;

/** The claims of a wall grant: the small pictures of a class's machines, for one user. Only a relay can open it. */
export const wallClaims = z.object({
  version: z.literal(1),
  /** Identifies the wall in logs, records and audit events. */
  sessionId: grantClaims.shape.sessionId,
  loginRef: grantClaims.shape.loginRef,
  /** Opens no wall: says what the wall of this `sessionId` may show from now on. */
  renews: z.literal(true).optional(),
  user: grantClaims.shape.user.omit({ groups: true }),
  class: z.string().min(1).max(64),
  seats: z.array(wallSeat).min(1).max(maxWallSeats),
  /** Maximum duration of the wall, in seconds. */
  sessionSeconds: z.number().int().positive(),
  origins: grantClaims.shape.origins,
  /** Milliseconds since the epoch. */
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
});
export type WallClaims = z.infer<typeof wallClaims>;
