import { z } from 'zod';
import { grantClaims } from '../grant/claims.ts';

/**
 * What the relay tells the page in text frames of the subprotocol `porthole.v1` (docs/protocol.md).
 * Binary frames are the console's own bytes. A `binary` client gets no text frames at all.
 */
export const openingSteps = ['status', 'console', 'connect', 'authenticate'] as const;

export const notices = ['idle', 'time'] as const;

/** How many of those who look on are named. */
export const maxObserversNamed = 4;

export const controlMessage = z.discriminatedUnion('type', [
  /** Waiting for a console slot; `position` 1 is next. */
  z.object({ type: z.literal('queued'), position: z.number().int().positive() }),
  /** The relay is opening the console at Proxmox and is at this step. */
  z.object({ type: z.literal('opening'), step: z.enum(openingSteps) }),
  /** The console is open: from now on binary frames are the machine's. */
  z.object({
    type: z.literal('opened'),
    mode: z.enum(['view', 'control']),
    /** Which way the clipboard may go, seen from the machine. Without: both. */
    clipboard: grantClaims.shape.clipboard,
  }),
  /** With this grant the console goes on at any relay when this one is lost. It replaces the one before. */
  z.object({ type: z.literal('resume'), token: z.string() }),
  /** The console ends in `seconds`. With `extend`, a client message `extend` puts that off. */
  z.object({
    type: z.literal('notice'),
    notice: z.enum(notices),
    seconds: z.number().int().nonnegative(),
    extend: z.boolean(),
  }),
  /** What the notice said is no longer so: somebody was active, or has more time. */
  z.object({ type: z.literal('notice_over'), notice: z.enum(notices) }),
  /** These people look on at the machine now; `others` more are not named. Nobody: both are empty. */
  z.object({
    type: z.literal('observers'),
    by: z.array(z.string().max(256)).max(maxObserversNamed),
    others: z.number().int().nonnegative(),
  }),
  /** This relay is about to leave. The close that follows says when to reconnect. */
  z.object({ type: z.literal('moving') }),
  /** The answer to a client's `ping`. */
  z.object({ type: z.literal('pong') }),
]);

export type ControlMessage = z.infer<typeof controlMessage>;
export type OpeningStep = (typeof openingSteps)[number];
export type Notice = (typeof notices)[number];

/** What a viewer may say in text frames. Anything else is a breach of the protocol. */
export const clientMessage = z.discriminatedUnion('type', [
  /** "Keep it open": an answer to a notice. */
  z.strictObject({ type: z.literal('extend') }),
  /** Asks for a `pong`: a page can't send WebSocket pings, and must notice a dead connection by itself. */
  z.strictObject({ type: z.literal('ping') }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;
