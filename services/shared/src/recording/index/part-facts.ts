import { z } from 'zod';
import { maxTextLength } from '../limits.ts';

const text = z.string().max(maxTextLength);

/** What is known when a part begins. A reader ignores fields of a newer version. */
export const partFacts = z
  .object({
    kind: z.enum(['screen', 'terminal']),
    session: text,
    user: text,
    displayName: text.optional(),
    machine: z.object({
      cluster: text,
      node: text,
      vmid: z.number().int().optional(),
      name: text.optional(),
      type: z.enum(['qemu', 'lxc', 'node']),
    }),
    mode: z.enum(['control', 'view']),
    /** The class that the machine was opened for. */
    class: text.optional(),
    /** The access rule that says to record. */
    rule: text.optional(),
    /** How long to keep it, as the rule says. Default: as the installation says. */
    keepSeconds: z.number().int().positive().optional(),
    relay: text,
    /** Whether values of keys, and the clipboard, are recorded. */
    keys: z.boolean(),
    clipboard: z.boolean(),
    /** Porthole's version. */
    version: text.optional(),
  })
  .readonly();

export type PartFacts = z.infer<typeof partFacts>;
