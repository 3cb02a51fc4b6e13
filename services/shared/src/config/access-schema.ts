import { z } from 'zod';

/** One rule: who may do what with which machines. A machine must match every field of `which` that is given. */
const names = z.array(z.string().min(1).max(256)).min(1);

export const accessRule = z.strictObject({
  /** Shown in explanations and logs. */
  name: z.string().max(128).optional(),
  who: z
    .strictObject({
      users: names.optional(),
      groups: names.optional(),
      everyone: z.literal(true).optional(),
    })
    .refine((who) => who.users ?? who.groups ?? who.everyone, 'name users, groups, or everyone: true'),
  which: z
    .strictObject({
      clusters: names.optional(),
      nodes: names.optional(),
      pools: names.optional(),
      tags: names.optional(),
      vmids: z
        .array(
          z.union([
            z.number().int().positive(),
            z.string().regex(/^\d{3,9}-\d{3,9}$/, 'a vmid, or a range such as "200-299"'),
          ]),
        )
        .min(1)
        .optional(),
      /** Name patterns: `*` stands for any characters, `?` for one, `{user}` for the name of who asks. */
      names: names.optional(),
      all: z.literal(true).optional(),
    })
    .refine((which) => Object.keys(which).length > 0, 'say which machines, or all: true'),
  allow: z.array(z.enum(['view', 'control', 'terminal'])).min(1),
});

export type AccessRule = z.infer<typeof accessRule>;
