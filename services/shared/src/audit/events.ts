import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { machineTypes } from '../grant/claims.ts';

/**
 * Every event that goes into the audit, as a closed list: what happened, to whom, by whom, from where. Nothing in it
 * is a secret: sign-ins are named by a digest, and what somebody typed is in none of them.
 * docs/audit.md is made from this list.
 */

/** Somebody, as the broker knows them: "local:anna", anna. */
const principal = z.object({ id: z.string(), name: z.string() });

const machine = z.object({
  cluster: z.string(),
  vmid: z.number().int(),
  /** Not known of machines that were asked for in vain. */
  name: z.string().optional(),
  node: z.string().optional(),
  type: z.enum(machineTypes).optional(),
});

const mode = z.enum(['view', 'control']);
const kind = z.enum(['screen', 'terminal']);
const errorCode = z.custom<ErrorCode>((value) => typeof value === 'string');
/** Names a sign-in in other events without giving it away. */
const login = z.string();

/** Where a request came from, and its line in the log. */
const requestFields = { address: z.string().optional(), requestId: z.string().optional() };

const consoleFields = {
  session: z.string(),
  user: principal,
  login,
  machine,
  mode,
  kind,
  /** Somebody looks on at what others do. */
  observer: z.boolean().optional(),
  relay: z.string(),
};

const powerAction = z.enum(['start', 'shutdown', 'reboot', 'reset', 'stop']);

const auditEvents = {
  sign_in: {
    about: 'Somebody signed in.',
    fields: { user: principal, method: z.string(), provider: z.string().optional(), login, ...requestFields },
  },
  sign_in_refused: {
    about: 'A sign-in was refused. The user is named only if there is one of that name.',
    fields: {
      user: principal.optional(),
      method: z.string(),
      provider: z.string().optional(),
      code: errorCode,
      ...requestFields,
    },
  },
  sign_out: {
    about: 'A sign-in was ended, and the consoles that it opened.',
    fields: {
      user: principal.optional(),
      login: login.optional(),
      /** By themselves, by an operator, or because their sign-in provider said so. */
      reason: z.enum(['user', 'operator', 'provider']),
      by: principal.optional(),
      ...requestFields,
    },
  },
  grant: {
    about: 'Somebody was let in to a console; `rules` says by which rules.',
    fields: {
      session: z.string(),
      user: principal,
      login,
      /** The program that asked on the user's behalf. */
      program: principal.optional(),
      machine,
      mode,
      kind,
      observer: z.boolean().optional(),
      rules: z.array(z.string()),
      ...requestFields,
    },
  },
  grant_denied: {
    about: 'Somebody asked for a console in vain; `code` says why.',
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
    about: 'A console is open. `resumed`: it went on after its connection or its relay was lost.',
    fields: { ...consoleFields, resumed: z.boolean() },
  },
  console_ended: {
    about:
      'A console ended, or left its relay to go on at another. `end` is `by_viewer` or the code of an error.',
    fields: {
      ...consoleFields,
      end: z.union([z.literal('by_viewer'), errorCode]),
      seconds: z.number(),
      bytes: z.object({ toViewer: z.number().int(), toMachine: z.number().int() }),
    },
  },
  console_open_failed: {
    about: 'A grant was used and led to no console.',
    fields: { ...consoleFields, end: z.union([z.literal('by_viewer'), errorCode]) },
  },
  termination_ordered: {
    about: 'Somebody ended consoles: one session, or all of a user, a machine or a class.',
    fields: {
      by: principal,
      target: z.object({ kind: z.enum(['session', 'user', 'machine', 'class']), ref: z.string() }),
      /** How many were live then. */
      consoles: z.number().int(),
      ...requestFields,
    },
  },
  power: {
    about: 'A machine was told to start, shut down, reboot, reset or stop; `task` is its UPID at Proxmox.',
    fields: { by: principal, machine, action: powerAction, task: z.string(), ...requestFields },
  },
  power_action_refused: {
    about: 'Somebody asked in vain for that.',
    fields: { by: principal.optional(), machine, action: powerAction, code: errorCode, ...requestFields },
  },
  rules_reloaded: {
    about: 'The access rules changed and are in force.',
    fields: { rules: z.number().int(), classes: z.number().int(), digest: z.string() },
  },
  rules_refused: {
    about: 'The access rules changed and are faulty: those from before stay in force.',
    fields: { issues: z.number().int(), digest: z.string() },
  },
} as const satisfies Record<string, { about: string; fields: z.core.$ZodLooseShape }>;

export type AuditEventName = keyof typeof auditEvents;

type EventOf<Name extends AuditEventName> = { readonly event: Name } & z.infer<
  z.ZodObject<(typeof auditEvents)[Name]['fields']>
>;

/** What happened; who writes it down adds the time and the service. */
export type AuditEvent = { [Name in AuditEventName]: EventOf<Name> }[AuditEventName];

export const auditEventNames = Object.keys(auditEvents) as AuditEventName[];

export function describeAuditEvent(name: AuditEventName): string {
  return auditEvents[name].about;
}

const line = { audit: z.literal(1), time: z.iso.datetime(), service: z.string(), event: z.string() };
/** What every line has. */
export const auditLineFields: readonly string[] = Object.keys(line);

/** One line of the audit. */
export function auditLineSchema(name: AuditEventName) {
  return z.strictObject({ ...line, event: z.literal(name), ...auditEvents[name].fields });
}
