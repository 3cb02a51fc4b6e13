import { z } from 'zod';

/** `node`: not a guest but a node of the cluster itself, whose shell somebody may open. */
export const machineTypes = ['qemu', 'lxc', 'node'] as const;
export type MachineType = (typeof machineTypes)[number];

/** Of a guest its vmid, from 100 on; of a node, its number in the cluster, which is below that. */
export const machineNumber = /^[1-9]\d{0,8}$/;

/**
 * What a grant says. Minted by the broker, read by the relay; nobody else can open it.
 * Unknown fields are dropped, not refused: during an upgrade a newer broker talks to older relays.
 */
export const grantClaims = z.object({
  version: z.literal(1),
  /** Identifies the console session in logs, metrics, records; shown to people as the support id. */
  sessionId: z.string().min(1).max(64),
  /** Which sign-in asked for it, as a digest, so that signing out ends its consoles. */
  loginRef: z.string().max(64),
  user: z.object({
    id: z.string().min(1).max(256),
    name: z.string().max(256),
    /** How the person is called, where that is not the name. */
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
  /** Which way the clipboard may go, seen from the machine: pasted in, copied out. Without: both. */
  clipboard: z.enum(['both', 'in', 'out', 'none']).optional(),
  /** Most framebuffer update requests that pass in a second: a wall of small views costs little. Without: all. */
  updatesPerSecond: z.number().positive().max(1000).optional(),
  /** Somebody looks on at what others do: those at the machine are told by whom they are watched. */
  observer: z.boolean().optional(),
  /** The trace that the click began (W3C Trace Context, section 3.2), for the relay to carry on. */
  traceparent: z.string().max(64).optional(),
  limits: z.object({
    /** Longest life of the session, in seconds. */
    sessionSeconds: z.number().int().positive(),
    /** Longest time without real input from the person, in seconds. */
    idleSeconds: z.number().int().positive(),
    /** Most consoles at once of this user, and of this machine, over all relays. */
    perUser: z.number().int().positive(),
    perMachine: z.number().int().positive(),
    /** How much longer each extension makes the session, and the most that all of them lead to. Without: none. */
    extendSeconds: z.number().int().positive().optional(),
    maxSessionSeconds: z.number().int().positive().optional(),
  }),
  /** Only in a grant that continues a session (docs/decisions/0006-resume.md). Milliseconds since the epoch. */
  resumes: z.object({ openedAt: z.number().int(), endsAt: z.number().int() }).optional(),
  /** Origins whose pages may use the grant, as the browser sends them ("https://host[:port]"). */
  origins: z.array(z.string()).max(32),
  /** Milliseconds since the epoch. A grant that continues a session keeps the time of the first one. */
  issuedAt: z.number().int(),
  expiresAt: z.number().int(),
});

export type GrantClaims = z.infer<typeof grantClaims>;
export type ConsoleMode = GrantClaims['mode'];
export type ConsoleKind = GrantClaims['kind'];
