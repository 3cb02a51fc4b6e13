import { z } from 'zod';

/** `node` is not a guest, but a cluster node whose shell can be opened. */
export const machineTypes = ['qemu', 'lxc', 'node'] as const;
export type MachineType = (typeof machineTypes)[number];

/** The vmid of a guest, from 100 on, or the number of a node in its cluster, below 100. */
export const machineNumber = /^[1-9]\d{0,8}$/;

/** The classes that one console can belong to. */
export const maxClasses = 32;

/**
 * The claims of a grant. The broker mints it, and only a relay can open it. Unknown fields are dropped, because during
 * an upgrade a newer broker talks to older relays.
 */
export const grantClaims = z.object({
  version: z.literal(1),
  /** Identifies the session in logs, metrics and records. Users see it as the support id. */
  sessionId: z.string().min(1).max(64),
  /** The sign-in that requested the grant, as a digest. Signing out ends its consoles. */
  loginRef: z.string().max(64),
  user: z.object({
    id: z.string().min(1).max(256),
    name: z.string().max(256),
    /** The full name, if it differs from the user name. */
    displayName: z.string().max(256).optional(),
    groups: z.array(z.string().max(256)).max(1000),
  }),
  cluster: z.string().min(1).max(64),
  /** The node that ran the machine when the grant was minted; the relay follows it if it moved. */
  node: z.string().min(1).max(64),
  type: z.enum(machineTypes),
  vmid: z.number().int().min(1).max(999_999_999),
  machineName: z.string().max(256),
  mode: z.enum(['view', 'control']),
  kind: z.enum(['screen', 'terminal']),
  /** Allowed clipboard direction, seen from the machine: `in` is paste, `out` is copy. Default: both. */
  clipboard: z.enum(['both', 'in', 'out', 'none']).optional(),
  /** Maximum framebuffer update requests per second, to make a wall of thumbnails cheap. Default: unlimited. */
  updatesPerSecond: z.number().positive().max(1000).optional(),
  /** True if the user observes the consoles of others. The users of the machine see the observer's name. */
  observer: z.boolean().optional(),
  /** True for the tile of a wall, which gets thumbnails only. No grant has it, only claims between relays. */
  thumbnail: z.boolean().optional(),
  /** The classes to which the console belongs, and whether the user is a member or an instructor of each. */
  classes: z
    .array(z.object({ name: z.string().min(1).max(64), role: z.enum(['member', 'instructor']) }))
    .max(maxClasses)
    .optional(),
  /** True if input reaches the machine only while this session has taken control of it. */
  inputWhenTaken: z.boolean().optional(),
  /** The console shows what is shown to a class, and ends with that. It counts against no limit of user or machine. */
  follows: z.object({ class: z.string().min(1).max(64), showing: z.string().min(1).max(32) }).optional(),
  /** The trace of the request (W3C Trace Context, section 3.2), which the relay continues. */
  traceparent: z.string().max(64).optional(),
  /** How the console is recorded. Default: it is not. */
  recording: z
    .object({
      /** Whether a console that cannot be recorded ends, or goes on without recording. */
      mode: z.enum(['required', 'try']),
      /** Whether values of keys, and the clipboard, are recorded. */
      keys: z.boolean(),
      clipboard: z.boolean(),
      keepSeconds: z.number().int().positive().optional(),
      /** The access rule that says to record, and its class. */
      rule: z.string().max(256),
      class: z.string().max(64).optional(),
      /** The recording that a resumed session continues, and the part that begins now. */
      continues: z
        .object({ recording: z.string().max(64), ordinal: z.number().int().min(1).max(9999) })
        .optional(),
    })
    .optional(),
  limits: z.object({
    /** Maximum duration of the session, in seconds. */
    sessionSeconds: z.number().int().positive(),
    /** Maximum time without user input, in seconds. */
    idleSeconds: z.number().int().positive(),
    /** How long the page may be hidden until its console is parked, in seconds. Default: it is never parked. */
    parkSeconds: z.number().int().positive().optional(),
    /** Maximum concurrent consoles of this user, and of this machine, over all relays. */
    perUser: z.number().int().positive(),
    perMachine: z.number().int().positive(),
    /** Seconds that one extension adds, and the maximum duration with all extensions. Default: no extensions. */
    extendSeconds: z.number().int().positive().optional(),
    maxSessionSeconds: z.number().int().positive().optional(),
  }),
  /** Present in a grant that resumes a session (docs/decisions/0006-resume.md). Milliseconds since the epoch. */
  resumes: z
    .object({
      openedAt: z.number().int(),
      endsAt: z.number().int(),
      /** The number of connections before this one. In the grant, because the store can lose or restore its record. */
      generation: z.number().int().positive(),
    })
    .optional(),
  /** The session that this grant reopens, in a grant that did not count as a new request. */
  reopens: z.string().min(1).max(64).optional(),
  /** Origins whose pages may use the grant, as browsers send them: "https://host[:port]". */
  origins: z.array(z.string()).max(32),
  /** Milliseconds since the epoch. A grant that resumes a session keeps the time of the first grant. */
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
});

export type GrantClaims = z.infer<typeof grantClaims>;
export type ConsoleMode = GrantClaims['mode'];
export type ConsoleKind = GrantClaims['kind'];
export type ClassRole = NonNullable<GrantClaims['classes']>[number]['role'];
