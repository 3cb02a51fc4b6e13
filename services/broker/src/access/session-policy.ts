import type { Limits } from '@porthole/shared/config/schema';
import type { CompiledRule } from './compile.ts';

export type Clipboard = 'both' | 'in' | 'out' | 'none';

/** Within which limits a console may be used. */
export interface SessionPolicy {
  readonly clipboard: Clipboard;
  /** Infinity: all of them. */
  readonly updatesPerSecond: number;
  readonly sessionSeconds: number;
  /** With all extensions. */
  readonly maxSessionSeconds: number;
  readonly idleSeconds: number;
  readonly consolesPerUser: number;
  readonly consolesPerMachine: number;
}

export type DefaultLimits = Pick<
  Limits,
  'sessionSeconds' | 'maxSessionSeconds' | 'idleSeconds' | 'consolesPerUser' | 'consolesPerMachine'
>;

/** What a rule says, and the configuration's limits where it says nothing. */
export function policyOf(
  { policy: { clipboard, limits = {} } }: CompiledRule,
  defaults: DefaultLimits,
): SessionPolicy {
  const sessionSeconds = limits.sessionSeconds ?? defaults.sessionSeconds;
  // Whoever writes how long a session may be means that, and not what some other line lets people add to it.
  const maxSessionSeconds =
    limits.maxSessionSeconds ??
    (limits.sessionSeconds === undefined ? defaults.maxSessionSeconds : undefined) ??
    sessionSeconds;
  return {
    clipboard: clipboard ?? 'both',
    updatesPerSecond: limits.updatesPerSecond ?? Number.POSITIVE_INFINITY,
    sessionSeconds,
    maxSessionSeconds: Math.max(maxSessionSeconds, sessionSeconds),
    idleSeconds: limits.idleSeconds ?? defaults.idleSeconds,
    consolesPerUser: limits.consolesPerUser ?? defaults.consolesPerUser,
    consolesPerMachine: limits.consolesPerMachine ?? defaults.consolesPerMachine,
  };
}

/** The widest of each, as everything that rules give adds up. */
export function mostPermissive(a: SessionPolicy, b: SessionPolicy): SessionPolicy {
  return {
    clipboard: combineClipboards(a.clipboard, b.clipboard),
    updatesPerSecond: Math.max(a.updatesPerSecond, b.updatesPerSecond),
    sessionSeconds: Math.max(a.sessionSeconds, b.sessionSeconds),
    maxSessionSeconds: Math.max(a.maxSessionSeconds, b.maxSessionSeconds),
    idleSeconds: Math.max(a.idleSeconds, b.idleSeconds),
    consolesPerUser: Math.max(a.consolesPerUser, b.consolesPerUser),
    consolesPerMachine: Math.max(a.consolesPerMachine, b.consolesPerMachine),
  };
}

/** Whether `b` gives everything that `a` gives. */
export function isAtLeastAsPermissive(a: SessionPolicy, b: SessionPolicy): boolean {
  const both = mostPermissive(a, b);
  return (Object.keys(b) as (keyof SessionPolicy)[]).every((name) => both[name] === b[name]);
}

function combineClipboards(a: Clipboard, b: Clipboard): Clipboard {
  const goesIn = [a, b].some((way) => way === 'both' || way === 'in');
  const goesOut = [a, b].some((way) => way === 'both' || way === 'out');
  if (goesIn && goesOut) return 'both';
  if (goesIn) return 'in';
  return goesOut ? 'out' : 'none';
}
