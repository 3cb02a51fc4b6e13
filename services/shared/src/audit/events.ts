import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { machineTypes } from '../grant/claims.ts';

/**
 * All audit events, as a closed list. No field is a secret: sign-ins are identified by a digest, and user input is not
 * recorded. The table in docs/audit.md is generated from this list.
 */

/** A user or a program: id "local:anna", name "anna". */
const principal = z.object({ id: z.string(), name: z.string() });

const machine = z.object({
  cluster: z.string(),
  vmid: z.number().int(),
  /** Missing if the machine was not found. */
  name: z.string().optional(),
  node: z.string().optional(),
  type: z.enum(machineTypes).optional(),
});

const mode = z.enum(['view', 'control']);
const kind = z.enum(['screen', 'terminal']);
const errorCode = z.custom<ErrorCode>((value) => typeof value === 'string');
/** Identifies a sign-in across events. It is useless to sign in with. */
const login = z.string();

/** The client's address, and the id of the request in the log. */
const requestFields = { address: z.string().optional(), requestId: z.string().optional() };

/** The recording, and whose console it shows. Missing if its index cannot be read. */
const recordingFields = {
  recording: z.string(),
  /** The user whose console was recorded, as in the recording. */
  user: z.string().optional(),
  machine: machine.omit({ vmid: true }).extend({ vmid: z.number().int().optional() }).optional(),
};

const consoleFields = {
  session: z.string(),
  user: principal,
  login,
  machine,
  mode,
  kind,
  /** True if the user observes the consoles of other users. */
  observer: z.boolean().optional(),
  relay: z.string(),
};

const classAction = z.enum([
  'pause',
  'resume',
  'message',
  'lower',
  'start',
  'end',
  'cancel_end',
  'show',
  'stop_showing',
]);
const timetableAction = z.enum(['start', 'shutdown']);
const powerAction = z.enum(['start', 'shutdown', 'reboot', 'reset', 'stop']);

const auditEvents = {
  sign_in: {
    about: 'A user signed in.',
    fields: { user: principal, method: z.string(), provider: z.string().optional(), login, ...requestFields },
  },
  sign_in_refused: {
    about: 'A sign-in was rejected. `user` is present only if such a user exists.',
    fields: {
      user: principal.optional(),
      method: z.string(),
      provider: z.string().optional(),
      code: errorCode,
      ...requestFields,
    },
  },
  lti_launch: {
    about:
      'A user came from a learning platform, to open consoles or, as a teacher, to choose what a link opens. `context` is the id of the course.',
    fields: {
      user: principal,
      provider: z.string(),
      message: z.enum(['resource_link', 'deep_linking']),
      context: z.string().optional(),
      ...requestFields,
    },
  },
  lti_selection: {
    about: 'A teacher chose what links of a course at a learning platform open. This gives no rights.',
    fields: { user: principal, provider: z.string(), items: z.number().int(), ...requestFields },
  },
  sign_out: {
    about: 'A sign-in ended, with all its consoles.',
    fields: {
      user: principal.optional(),
      login: login.optional(),
      /** Whether the user, an operator, or the sign-in provider ended it. */
      reason: z.enum(['user', 'operator', 'provider']),
      by: principal.optional(),
      ...requestFields,
    },
  },
  grant: {
    about: 'A user was granted a console. `rules` lists the access rules that allow it.',
    fields: {
      session: z.string(),
      user: principal,
      login,
      /** The program that requested the grant on the user's behalf. */
      program: principal.optional(),
      machine,
      mode,
      kind,
      observer: z.boolean().optional(),
      rules: z.array(z.string()),
      /** Whether and how the console is to be recorded. */
      record: z.enum(['required', 'try']).optional(),
      /** True if the rules require consent to the recording, and the user has given it. */
      consent: z.literal(true).optional(),
      ...requestFields,
    },
  },
  grant_denied: {
    about: 'A request for a console was denied. `code` is the error code.',
    fields: {
      user: principal.optional(),
      program: principal.optional(),
      machine: machine.optional(),
      mode: mode.optional(),
      kind: kind.optional(),
      code: errorCode,
      ...requestFields,
    },
  },
  console_opened: {
    about:
      'A console opened. `resumed` is true if it continues a session that lost its connection or its relay.',
    fields: {
      ...consoleFields,
      resumed: z.boolean(),
      /** The id of its recording, if it is recorded. */
      recording: z.string().optional(),
    },
  },
  console_not_recorded: {
    about:
      'A console that should be recorded is open without recording, because its rule says `try`. `reason`: recordings could not be stored when it opened (`unavailable`), or no longer (`stopped`).',
    fields: { ...consoleFields, reason: z.enum(['unavailable', 'stopped']) },
  },
  console_parked: {
    about:
      'The console at Proxmox was released, because the page was hidden. The session goes on. If the user returns, `console_ended` with `unparked` and `console_opened` follow.',
    fields: consoleFields,
  },
  console_ended: {
    about: 'A console ended or moved to another relay. `end` is `by_viewer` or an error code.',
    fields: {
      ...consoleFields,
      end: z.union([z.literal('by_viewer'), errorCode]),
      seconds: z.number(),
      bytes: z.object({ toViewer: z.number().int(), toMachine: z.number().int() }),
    },
  },
  console_open_failed: {
    about: 'A grant was used, but the console could not be opened. `end` is `by_viewer` or an error code.',
    fields: { ...consoleFields, end: z.union([z.literal('by_viewer'), errorCode]) },
  },
  termination_ordered: {
    about: 'An operator ended one session, or all sessions of a user, a machine or a class.',
    fields: {
      by: principal,
      target: z.object({ kind: z.enum(['session', 'user', 'machine', 'class']), ref: z.string() }),
      /** Number of live consoles that the order applied to. */
      consoles: z.number().int(),
      ...requestFields,
    },
  },
  class_action: {
    about:
      'An instructor paused or resumed a class, sent a message, lowered raised hands, started the machines, announced the end of the class or withdrew it, or showed a screen to the members or stopped that. The texts are not recorded.',
    fields: {
      by: principal,
      class: z.string(),
      action: classAction,
      /** Duration of a pause, or time until the end of the class. */
      seconds: z.number().int().optional(),
      /** Ids of the users to whom a message is addressed or whose hands are lowered. Missing: all members. */
      users: z.array(z.string()).optional(),
      /** The machine that is shown. */
      machine: machine.optional(),
      /** Number of machines that are started. */
      machines: z.number().int().optional(),
      ...requestFields,
    },
  },
  class_action_refused: {
    about: 'An action for a class was denied or failed. `code` is the error code.',
    fields: { by: principal, class: z.string(), action: classAction, code: errorCode, ...requestFields },
  },
  timetable_power: {
    about:
      'The timetable has started a machine of a class before a lesson, or shut it down after one. `lesson` is when the lesson begins or has ended.',
    fields: {
      class: z.string(),
      lesson: z.iso.datetime(),
      machine,
      action: timetableAction,
      task: z.string(),
    },
  },
  timetable_power_failed: {
    about: 'The timetable could not start or shut down a machine. It tries three times.',
    fields: {
      class: z.string(),
      lesson: z.iso.datetime(),
      machine,
      action: timetableAction,
      code: errorCode,
    },
  },
  control: {
    about:
      'A user took control of a machine, so that the input of others does not reach it, or handed it back.',
    fields: {
      by: principal,
      /** The session that has control. */
      session: z.string(),
      machine,
      action: z.enum(['take', 'release']),
      ...requestFields,
    },
  },
  control_refused: {
    about: 'A request to take control of a machine was denied or failed. `code` is the error code.',
    fields: { by: principal, machine, code: errorCode, ...requestFields },
  },
  wall_opened: {
    about:
      'A user got a grant for the wall of a class: small pictures of its machines. `machines` is their number.',
    fields: {
      wall: z.string(),
      by: principal,
      login,
      class: z.string(),
      machines: z.number().int(),
      ...requestFields,
    },
  },
  wall_refused: {
    about:
      'A request for the wall of a class, or to go on with it, was denied or failed. `code` is the error code.',
    fields: { by: principal, class: z.string(), code: errorCode, ...requestFields },
  },
  wall_ended: {
    about:
      'A wall ended. `machines` is the number of machines that it has shown. `end` is `by_viewer` or an error code.',
    fields: {
      wall: z.string(),
      user: principal,
      login,
      class: z.string(),
      machines: z.number().int(),
      end: z.union([z.literal('by_viewer'), errorCode]),
      seconds: z.number(),
      relay: z.string(),
    },
  },
  power: {
    about: 'A power action was started. `task` is the UPID of the Proxmox task.',
    fields: { by: principal, machine, action: powerAction, task: z.string(), ...requestFields },
  },
  power_action_refused: {
    about: 'A power action was denied. `code` is the error code.',
    fields: { by: principal.optional(), machine, action: powerAction, code: errorCode, ...requestFields },
  },
  recording_watched: {
    about:
      'A user opened a recording in the player, or read it through the API. Reported once an hour for each user and recording by each broker.',
    fields: { by: principal, ...recordingFields, ...requestFields },
  },
  recording_downloaded: {
    about: 'A user downloaded a recording, or exported it with the command line.',
    fields: { by: principal, ...recordingFields, ...requestFields },
  },
  recording_hold: {
    about: 'A user put a recording on legal hold, which keeps it from being deleted, or removed the hold.',
    fields: { by: principal, ...recordingFields, action: z.enum(['set', 'remove']), ...requestFields },
  },
  recording_deleted: {
    about: 'A recording was deleted: by a user, or, without `by`, because its time was over.',
    fields: { by: principal.optional(), ...recordingFields, ...requestFields },
  },
  rules_reloaded: {
    about: 'Changed access rules took effect.',
    fields: { rules: z.number().int(), classes: z.number().int(), digest: z.string() },
  },
  rules_refused: {
    about: 'Changed access rules are invalid. The previous rules stay in effect.',
    fields: { issues: z.number().int(), digest: z.string() },
  },
} as const satisfies Record<string, { about: string; fields: z.core.$ZodLooseShape }>;

export type AuditEventName = keyof typeof auditEvents;

type EventOf<Name extends AuditEventName> = { readonly event: Name } & z.infer<
  z.ZodObject<(typeof auditEvents)[Name]['fields']>
>;

/** An event. The writer adds the time and the service. */
export type AuditEvent = { [Name in AuditEventName]: EventOf<Name> }[AuditEventName];

export const auditEventNames = Object.keys(auditEvents) as AuditEventName[];

export function describeAuditEvent(name: AuditEventName): string {
  return auditEvents[name].about;
}

const line = { audit: z.literal(1), time: z.iso.datetime(), service: z.string(), event: z.string() };
/** The fields that every line has. */
export const auditLineFields: readonly string[] = Object.keys(line);

/** Describes one audit line. */
export function auditLineSchema(name: AuditEventName) {
  return z.strictObject({ ...line, event: z.literal(name), ...auditEvents[name].fields });
}
