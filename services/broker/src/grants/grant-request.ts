import { z } from 'zod';
import { BadRequest, badRequestOf } from '../http/bad-request.ts';

/** The user that a program asks for. The program chooses the ID, which is unique only within the program. */
const onBehalfOf = z.strictObject({
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(128).optional(),
  groups: z.array(z.string().min(1).max(256)).max(100).default([]),
});

const grantRequest = z.strictObject({
  mode: z.enum(['view', 'control']),
  kind: z.enum(['screen', 'terminal']).default('screen'),
  /** Observe the consoles of other users, who are told. */
  watch: z.boolean().default(false),
  /** Input reaches the machine only while the session has taken control. Until then, the user observes. */
  inputWhenTaken: z.boolean().default(false),
  /** See what is shown to a class of the user. */
  follow: z.literal('class').optional(),
  /** The user agrees that the console is recorded. */
  consent: z.literal(true).optional(),
  /** The session that the page returns to. */
  reopens: z.string().min(1).max(64).optional(),
  onBehalfOf: onBehalfOf.optional(),
});
export type GrantRequest = z.infer<typeof grantRequest>;

export function parseGrantRequest(body: unknown): GrantRequest {
  const parsed = grantRequest.safeParse(body);
  if (!parsed.success) throw badRequestOf(parsed.error);
  const { follow, inputWhenTaken, mode, kind, watch, onBehalfOf } = parsed.data;
  if (watch && mode !== 'view') throw new BadRequest('watch: needs mode view');
  if (inputWhenTaken && mode !== 'control') throw new BadRequest('inputWhenTaken: needs mode control');
  if (follow && (mode !== 'view' || kind !== 'screen' || watch || onBehalfOf))
    throw new BadRequest('follow: needs mode view and kind screen, without watch and onBehalfOf');
  return parsed.data;
}
