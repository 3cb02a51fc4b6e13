import { z } from 'zod';

/**
 * What the relay tells the page in text frames of the subprotocol `porthole.v1` (docs/protocol.md).
 * Binary frames are the console's own bytes. A `binary` client gets no text frames at all.
 */
export const openingSteps = ['status', 'console', 'connect', 'authenticate'] as const;

export const controlMessage = z.discriminatedUnion('type', [
  /** Waiting for a console slot; `position` 1 is next. */
  z.object({ type: z.literal('queued'), position: z.number().int().positive() }),
  /** The relay is opening the console at Proxmox and is at this step. */
  z.object({ type: z.literal('opening'), step: z.enum(openingSteps) }),
  /** The console is open: from now on binary frames are the machine's. */
  z.object({ type: z.literal('opened'), mode: z.enum(['view', 'control']) }),
]);

export type ControlMessage = z.infer<typeof controlMessage>;
export type OpeningStep = (typeof openingSteps)[number];
