import { z } from 'zod';
import { machineTypes } from '../grant/claims.ts';

/**
 * Who may do what with which machines, when, and within which limits. What a rule gives is the broker's
 * `access/`; why rules only ever add is docs/decisions/0003-access-rules-are-a-union.md.
 */
const names = z.array(z.string().min(1).max(256)).min(1);

/** Everything that a rule can give, in the order in which it is shown. */
export const rights = ['view', 'control', 'terminal', 'watch', 'power', 'end', 'explain', 'audit'] as const;
export type Right = (typeof rights)[number];

const who = z
  .strictObject({
    users: names.optional(),
    groups: names.optional(),
    /** What the sign-in said of somebody: by name of the claim, the values of which any one is enough. */
    claims: z.record(z.string().min(1).max(128), names).optional(),
    programs: names.optional(),
    everyone: z.literal(true).optional(),
  })
  .refine(
    (given) => Object.keys(given).length > 0,
    'name users, groups, claims, programs, or everyone: true',
  );

const whichFields = {
  clusters: names.optional(),
  nodes: names.optional(),
  pools: names.optional(),
  tags: names.optional(),
  /** A node only where it is named here: no rule about machines opens the shell of the host by the way. */
  types: z.array(z.enum(machineTypes)).min(1).optional(),
  vmids: z
    .array(
      z.union([
        z.number().int().positive(),
        z.string().regex(/^\d{3,9}-\d{3,9}$/, 'a vmid, or a range such as "200-299"'),
      ]),
    )
    .min(1)
    .optional(),
  /** Name patterns: `*` stands for any characters, `?` for one, `{user}` and `{group}` for who asks. */
  names: names.optional(),
  all: z.literal(true).optional(),
};
const which = z
  .strictObject(whichFields)
  .refine((given) => Object.keys(given).length > 0, 'say which machines, or all: true');

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date, such as 2026-06-01')
  .refine((text) => {
    const parsed = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
  }, 'there is no such day');

const hours = z
  .string()
  .regex(
    /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
    'must be two times of the day, such as 08:00-16:30',
  )
  .refine((text) => text.slice(0, 5) !== text.slice(6), 'ends when it begins');

/** Times by the clock on the wall. */
const timeWindow = z
  .strictObject({
    timeZone: z.string().max(64).refine(isTimeZone, 'must be a time zone, such as Europe/Berlin'),
    days: z.array(z.enum(days)).min(1).optional(),
    /** What ends before it begins goes on until the next day. */
    hours: hours.optional(),
    /** First and last day. */
    from: date.optional(),
    until: date.optional(),
  })
  .refine(({ days, hours, from, until }) => days ?? hours ?? from ?? until, 'say days, hours, from, or until')
  .refine(({ from, until }) => !(from && until) || from <= until, {
    path: ['until'],
    error: 'ends before it begins',
  });
export type TimeWindow = z.infer<typeof timeWindow>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Any one of them is enough. */
const when = z.union([z.array(timeWindow).min(1), timeWindow.transform((one) => [one])]);

const seconds = z
  .number()
  .int()
  .positive()
  .max(7 * 86_400, 'must be at most a week, 604800');

/** What is not said here is as `limits` of the configuration says. */
const ruleLimits = z
  .strictObject({
    sessionSeconds: seconds.optional(),
    maxSessionSeconds: seconds.optional(),
    idleSeconds: seconds.optional(),
    consolesPerUser: z.number().int().positive().optional(),
    consolesPerMachine: z.number().int().positive().max(32, 'QEMU takes 32 viewers at most').optional(),
    /** Pictures a second at most; without, as many as there are. */
    updatesPerSecond: z.number().positive().max(1000).optional(),
  })
  .refine(
    ({ sessionSeconds, maxSessionSeconds }) =>
      maxSessionSeconds === undefined || sessionSeconds === undefined || maxSessionSeconds >= sessionSeconds,
    { path: ['maxSessionSeconds'], error: 'must be at least sessionSeconds' },
  );

export const clipboardDirections = ['both', 'in', 'out', 'none'] as const;

/** How consoles are that a rule gives. */
const ruleTerms = {
  /** Which way the clipboard may go, seen from the machine: pasted in, copied out. Without: both. */
  clipboard: z.enum(clipboardDirections).optional(),
  when: when.optional(),
  limits: ruleLimits.optional(),
};

export const accessRule = z.strictObject({
  /** Shown in explanations and logs. */
  name: z.string().min(1).max(128).optional(),
  who,
  /** A machine must match every field that is given. */
  which,
  allow: z.array(z.enum(rights)).min(1),
  ...ruleTerms,
});

export type AccessRule = z.infer<typeof accessRule>;

const memberSelector = z
  .strictObject({ users: names.optional(), groups: names.optional() })
  .refine((given) => Object.keys(given).length > 0, 'name users or groups');

/** People who learn together on a set of machines, and who teaches them. */
export const accessClass = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be small letters, digits, dots and dashes'),
  title: z.string().min(1).max(128).optional(),
  members: memberSelector,
  instructors: memberSelector.optional(),
  /** All machines of the class. */
  machines: which.refine(
    ({ names: patterns = [] }) => !patterns.some((pattern) => /\{(user|group)\}/.test(pattern)),
    { path: ['names'], error: 'are those of the whole class: {user} and {group} belong into own' },
  ),
  /** Of these, which ones a member may open: patterns of names. */
  own: names,
  /** What members may do with their own. */
  allow: z.array(z.enum(rights)).min(1).default(['control']),
  ...ruleTerms,
});

export type AccessClass = z.infer<typeof accessClass>;

/** What stands in the rules file. */
export const accessDocument = z.strictObject({
  access: z.array(accessRule).max(10_000).optional(),
  classes: z
    .array(accessClass)
    .max(10_000)
    .superRefine((classes, context) => {
      const seen = new Set<string>();
      for (const [index, { name }] of classes.entries()) {
        if (seen.has(name))
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: 'two classes have this name',
          });
        seen.add(name);
      }
    })
    .optional(),
});
export type AccessDocument = z.infer<typeof accessDocument>;

/** Without any rule of your own, the members of the group `admins` may do everything. */
export const defaultAccess: AccessDocument = {
  access: [
    {
      name: 'default',
      who: { groups: ['admins'] },
      which: { all: true },
      allow: ['control', 'terminal', 'watch', 'power', 'end', 'explain', 'audit'],
    },
  ],
};
