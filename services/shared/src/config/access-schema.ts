import { z } from 'zod';
import { machineTypes } from '../grant/claims.ts';
import { seconds, secondsOrNever } from './fields.ts';
import { parsePlaceholder, placeholderError } from './placeholder.ts';

/**
 * Schema of the access rules: who may do what with which machines, when, and within which limits. The broker's
 * `access/` evaluates them; docs/decisions/0003-access-rules-are-a-union.md explains why they are additive.
 */
const name = z.string().min(1).max(256);
const names = z.array(name).min(1);

/** Entries that may contain `{user}` or `{group}`. */
const entries = (options: { readonly wildcards: boolean }) =>
  z
    .array(
      name.superRefine((entry, context) => {
        const message = placeholderError(entry, options);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
    )
    .min(1);
const exactEntries = entries({ wildcards: false });
/** `*` matches any characters, `?` one character. */
const namePatterns = entries({ wildcards: true });

/** All rights, in the order in which they are shown. */
export const rights = [
  'view',
  'control',
  'terminal',
  'watch',
  'power',
  'end',
  'explain',
  'audit',
  'recordings',
] as const;
export type Right = (typeof rights)[number];

const who = z
  .strictObject({
    users: names.optional(),
    groups: names.optional(),
    /** Claims of the sign-in. One matching value of one claim is enough. */
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
  pools: exactEntries.optional(),
  tags: exactEntries.optional(),
  /** Rules apply to nodes only if `node` is listed here, so that no rule about machines opens a host shell. */
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
  names: namePatterns.optional(),
  all: z.literal(true).optional(),
};
const which = z
  .strictObject(whichFields)
  .refine((given) => Object.keys(given).length > 0, 'name machines, or set all: true');

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date, such as 2026-06-01')
  .refine((text) => {
    const parsed = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
  }, 'is not a day of the calendar');

const hours = z
  .string()
  .regex(
    /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/,
    'must be two times of day, such as 08:00-16:30',
  )
  .refine((text) => text.slice(0, 5) !== text.slice(6), 'must end at another time than it begins');

/** A recurring window in local time. */
const timeWindow = z
  .strictObject({
    timeZone: z.string().max(64).refine(isTimeZone, 'must be a time zone, such as Europe/Berlin'),
    days: z.array(z.enum(days)).min(1).optional(),
    /** If the end is before the beginning, the window ends on the next day. */
    hours: hours.optional(),
    /** First and last day. */
    from: date.optional(),
    until: date.optional(),
  })
  .refine(({ days, hours, from, until }) => days ?? hours ?? from ?? until, 'set days, hours, from or until')
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

/** One matching window is enough. */
const when = z.union([z.array(timeWindow).min(1), timeWindow.transform((one) => [one])]);

/** The configuration's `limits` apply where a rule sets none. */
const ruleLimits = z
  .strictObject({
    sessionSeconds: seconds.optional(),
    maxSessionSeconds: seconds.optional(),
    idleSeconds: seconds.optional(),
    parkViewSeconds: secondsOrNever.optional(),
    parkControlSeconds: secondsOrNever.optional(),
    consolesPerUser: z.number().int().positive().optional(),
    consolesPerMachine: z
      .number()
      .int()
      .positive()
      .max(32, 'must be at most 32, the limit of QEMU')
      .optional(),
    /** Maximum screen updates per second. Default: unlimited. */
    updatesPerSecond: z.number().positive().max(1000).optional(),
  })
  .refine(
    ({ sessionSeconds, maxSessionSeconds }) =>
      maxSessionSeconds === undefined || sessionSeconds === undefined || maxSessionSeconds >= sessionSeconds,
    { path: ['maxSessionSeconds'], error: 'must be at least sessionSeconds' },
  );

export const clipboards = ['both', 'in', 'out', 'none'] as const;
export type Clipboard = (typeof clipboards)[number];

export const recordModes = ['required', 'try'] as const;

const recordFields = z.strictObject({
  /** Whether a console that cannot be recorded stays closed, or opens without recording. */
  mode: z.enum(recordModes).default('required'),
  /** Whether the recording has the values of keys, such as passwords. Their times are always recorded. */
  keys: z.boolean().default(false),
  /** Whether the recording has the text of the clipboard. */
  clipboard: z.boolean().default(false),
  /** Whether the page asks for consent before the console opens. */
  consent: z.boolean().default(false),
  /** Retention of the recording. Default: it is kept until a user deletes it. */
  keepDays: z.number().int().positive().max(36_500).optional(),
});
export type RecordSettings = z.infer<typeof recordFields>;

/** Whether and how consoles are recorded. A mode alone is a short form. */
const record = z.union([z.enum(recordModes).transform((mode) => recordFields.parse({ mode })), recordFields]);

/** Conditions and limits of the consoles that a rule gives. */
const sessionFields = {
  /** Permitted direction, seen from the machine: `in` pastes, `out` copies. Default: both. */
  clipboard: z.enum(clipboards).optional(),
  when: when.optional(),
  limits: ruleLimits.optional(),
  /** Default: not recorded. */
  record: record.optional(),
};

export const accessRule = z.strictObject({
  /** Shown in explanations and logs. */
  name: z.string().min(1).max(128).optional(),
  who,
  /** A machine must match every given field. */
  which,
  allow: z.array(z.enum(rights)).min(1),
  ...sessionFields,
});

export type AccessRule = z.infer<typeof accessRule>;

const members = z
  .strictObject({ users: names.optional(), groups: names.optional() })
  .refine((given) => Object.keys(given).length > 0, 'name users or groups');

const ownMachines = z
  .strictObject({
    names: namePatterns.optional(),
    tags: exactEntries.optional(),
    pools: exactEntries.optional(),
  })
  .refine((given) => Object.keys(given).length > 0, 'set names, tags or pools');

const minutes = z.number().int().nonnegative();

/** A class: members open their own machines, instructors all machines of the class. */
const accessClassFields = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower-case letters, digits, dots, dashes and underscores'),
  title: z.string().min(1).max(128).optional(),
  members,
  instructors: members.optional(),
  /** All machines of the class. */
  machines: which.superRefine((machines, context) => {
    for (const field of ['names', 'tags', 'pools'] as const)
      if (machines[field]?.some((entry) => parsePlaceholder(entry)))
        context.addIssue({
          code: 'custom',
          path: [field],
          message: 'must match all machines of the class: {user} and {group} belong in own',
        });
  }),
  /** The machines of the class that a member may open. */
  own: z.union([namePatterns.transform((patterns) => ({ names: patterns })), ownMachines]),
  /** Rights of members on their own machines. */
  allow: z.array(z.enum(rights)).min(1).default(['control']),
  /** Lets instructors see the recordings of consoles that were opened for the class. */
  instructorsSeeRecordings: z.boolean().optional(),
  ...sessionFields,
  /** Starts the machines of the class this long before each lesson. */
  prepare: z.strictObject({ startMinutes: minutes.max(120) }).optional(),
  /** Shuts down the machines that have no open console this long after each lesson. */
  after: z.strictObject({ shutdownMinutes: minutes.max(720) }).optional(),
});

export const accessClass = accessClassFields.superRefine(({ when, ...given }, context) => {
  for (const field of ['prepare', 'after'] as const)
    if (given[field] && !when)
      context.addIssue({ code: 'custom', path: [field], message: 'needs lessons: set when' });
});

export type AccessClass = z.infer<typeof accessClass>;

/** The content of a rules file. */
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

/** The rules if the configuration has none: members of the group `admins` may do everything. */
export const defaultAccess: AccessDocument = {
  access: [
    {
      name: 'default',
      who: { groups: ['admins'] },
      which: { all: true },
      allow: ['control', 'terminal', 'watch', 'power', 'end', 'explain', 'audit', 'recordings'],
    },
  ],
};
