import { z } from 'zod';
import { machineTypes } from '../grant/claims.ts';
import { seconds } from './fields.ts';

/**
 * Schema of access rules and classes. The broker evaluates them (access/). Rules are additive:
 * docs/decisions/0003-access-rules-are-a-union.md.
 */
const names = z.array(z.string().min(1).max(256)).min(1);

/** All rights, in display order. */
export const rights = ['view', 'control', 'terminal', 'watch', 'power', 'end', 'explain', 'audit'] as const;
export type Right = (typeof rights)[number];

const who = z
  .strictObject({
    users: names.optional(),
    groups: names.optional(),
    /** Claims of the sign-in, by name. One of the values must match. */
    claims: z.record(z.string().min(1).max(128), names).optional(),
    programs: names.optional(),
    everyone: z.literal(true).optional(),
  })
  .refine(
    (selector) => Object.keys(selector).length > 0,
    'specify users, groups, claims, programs or everyone: true',
  );

const whichFields = {
  clusters: names.optional(),
  nodes: names.optional(),
  pools: names.optional(),
  tags: names.optional(),
  /** Matches nodes only if it contains `node`, so that a rule about machines never opens the shell of a node. */
  types: z.array(z.enum(machineTypes)).min(1).optional(),
  vmids: z
    .array(
      z.union([
        z.number().int().positive(),
        z.string().regex(/^\d{3,9}-\d{3,9}$/, 'must be a vmid or a range such as "200-299"'),
      ]),
    )
    .min(1)
    .optional(),
  /** Name patterns. `*` matches any characters and `?` one; `{user}` and `{group}` are those of the requester. */
  names: names.optional(),
  all: z.literal(true).optional(),
};
const which = z
  .strictObject(whichFields)
  .refine((selector) => Object.keys(selector).length > 0, 'specify which machines, or all: true');

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-06-01')
  .refine((text) => {
    const parsed = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
  }, 'is not a calendar date');

const hours = z
  .string()
  .regex(
    /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
    'must be a time range such as 08:00-16:30',
  )
  .refine((text) => text.slice(0, 5) !== text.slice(6), 'must not start and end at the same time');

/** A time window, in local time of its time zone. */
const timeWindow = z
  .strictObject({
    timeZone: z.string().max(64).refine(isTimeZone, 'must be a time zone such as Europe/Berlin'),
    days: z.array(z.enum(days)).min(1).optional(),
    /** If the end is before the start, the window ends on the next day. */
    hours: hours.optional(),
    /** First and last day, inclusive. */
    from: date.optional(),
    until: date.optional(),
  })
  .refine(
    ({ days, hours, from, until }) => days ?? hours ?? from ?? until,
    'specify days, hours, from or until',
  )
  .refine(({ from, until }) => !(from && until) || from <= until, {
    path: ['until'],
    error: 'must not be before from',
  });
export type TimeWindow = z.infer<typeof timeWindow>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** One or more time windows. One of them must match. */
const when = z.union([z.array(timeWindow).min(1), timeWindow.transform((one) => [one])]);

/** Limits of a rule. Defaults come from `limits` in the configuration. */
const ruleLimits = z
  .strictObject({
    sessionSeconds: seconds.optional(),
    maxSessionSeconds: seconds.optional(),
    idleSeconds: seconds.optional(),
    consolesPerUser: z.number().int().positive().optional(),
    consolesPerMachine: z
      .number()
      .int()
      .positive()
      .max(32, 'must be at most 32, the limit of QEMU')
      .optional(),
    /** Maximum framebuffer updates per second. Default: unlimited. */
    updatesPerSecond: z.number().positive().max(1000).optional(),
  })
  .refine(
    ({ sessionSeconds, maxSessionSeconds }) =>
      maxSessionSeconds === undefined || sessionSeconds === undefined || maxSessionSeconds >= sessionSeconds,
    { path: ['maxSessionSeconds'], error: 'must be at least sessionSeconds' },
  );

export const clipboardDirections = ['both', 'in', 'out', 'none'] as const;

/** Properties of the consoles that a rule allows. */
const ruleTerms = {
  /** Allowed clipboard direction, seen from the machine: `in` is paste, `out` is copy. Default: both. */
  clipboard: z.enum(clipboardDirections).optional(),
  when: when.optional(),
  limits: ruleLimits.optional(),
};

export const accessRule = z.strictObject({
  /** Appears in explanations and logs. */
  name: z.string().min(1).max(128).optional(),
  who,
  /** A machine must match all fields. */
  which,
  allow: z.array(z.enum(rights)).min(1),
  ...ruleTerms,
});

export type AccessRule = z.infer<typeof accessRule>;

const memberSelector = z
  .strictObject({ users: names.optional(), groups: names.optional() })
  .refine((selector) => Object.keys(selector).length > 0, 'specify users or groups');

/** A class: members and instructors who share a set of machines. */
export const accessClass = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'must consist of lowercase letters, digits, dots, dashes and underscores',
    ),
  title: z.string().min(1).max(128).optional(),
  members: memberSelector,
  instructors: memberSelector.optional(),
  /** All machines of the class. */
  machines: which.refine(
    ({ names: patterns = [] }) => !patterns.some((pattern) => /\{(user|group)\}/.test(pattern)),
    { path: ['names'], error: 'must not contain {user} or {group}: use them in own' },
  ),
  /** Name patterns of the machines that a member may open. */
  own: names,
  /** Rights of members on their own machines. */
  allow: z.array(z.enum(rights)).min(1).default(['control']),
  ...ruleTerms,
});

export type AccessClass = z.infer<typeof accessClass>;

/** The content of the rules file. */
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
            message: 'is the name of another class',
          });
        seen.add(name);
      }
    })
    .optional(),
});
export type AccessDocument = z.infer<typeof accessDocument>;

/** Used if no rules are configured: members of the group `admins` have all rights. */
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
