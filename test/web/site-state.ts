import type { SiteClass, SiteMachine, SiteSession } from './site-data.ts';
import type { OpenedWall } from './site-wall.ts';
import type { OpenedConsole, RelayScript } from './site-relay.ts';

/** A refusal by the simulated broker. */
export interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly title?: string;
  readonly retryAfter?: number;
}

/** What the test plays to the pages, and what they asked for. */
export interface Site {
  readonly origin: string;
  readonly opened: OpenedConsole[];
  /** The subprotocols that each of them offered. */
  readonly offered: string[];
  readonly grants: { readonly vmid: string; readonly mode: string }[];
  machines: SiteMachine[];
  sessions: SiteSession[];
  classes: { name: string; title: string }[];
  canSeeSessions: boolean;
  /** The classes of the user, in full, and what the user has done for them. */
  instructed: SiteClass[];
  readonly classActions: { readonly name: string; readonly body: Readonly<Record<string, unknown>> }[];
  /** How actions are refused. Undefined: they succeed. */
  classReply: Refusal | undefined;
  /** Which walls pages have asked to renew. */
  readonly renewals: string[];
  /** Walls that pages have opened. */
  readonly walls: OpenedWall[];
  /** How walls are refused. Undefined: they open. */
  wallReply: Refusal | undefined;
  /** What was asked to be ended, as it stood in the address. */
  readonly ended: string[];
  /** What machines were told, `vmid action`, and how their tasks come out, by vmid: at first they run. */
  readonly powerActions: string[];
  readonly tasks: Map<string, unknown>;
  /** How many lists of consoles were as before. */
  notModified: number;
  /** How many seconds old the list claims to be. */
  stale: number | undefined;
  signedIn: boolean;
  /** Taken one by one; when empty, grants are given. */
  readonly grantReplies: Refusal[];
  listReply: Refusal | undefined;
  relayScript: RelayScript;
  stop(): Promise<void>;
}
