import { z } from 'zod';

/** Whom a program asks for. Its own names: nobody else's user bears them. */
export const onBehalfOf = z.strictObject({
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(128).optional(),
  groups: z.array(z.string().min(1).max(256)).max(100).default([]),
});
