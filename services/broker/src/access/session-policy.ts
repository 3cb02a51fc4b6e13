import type { Clipboard } from '@porthole/shared/config/access-schema';
import type { Limits } from '@porthole/shared/config/schema';
import type { CompiledRule } from './compile.ts';
import { recordsMore, strictestRecord, type RecordPolicy } from './record-policy.ts';

/** Limits of a console. */
export interface SessionPolicy {
  readonly clipboard: Clipboard;
  /** Maximum screen updates per second. Infinity: unlimited. */
  readonly updatesPerSecond: number;
  readonly sessionSeconds: number;
  /** Including all extensions. */
  readonly maxSessionSeconds: number;
  readonly idleSeconds: number;
  /** How long a page may be hidden until its console is parked, by mode. Infinity: it is never parked. */
  readonly parkViewSeconds: number;
  readonly parkControlSeconds: number;
  readonly consolesPerUser: number;
  readonly consolesPerMachine: number;
  /** Undefined: the console is not recorded. */
  readonly record: RecordPolicy | undefined;
}

export type DefaultLimits = Pick<
  Limits,
  | 'sessionSeconds'
  | 'maxSessionSeconds'
  | 'idleSeconds'
  | 'parkViewSeconds'
  | 'parkControlSeconds'
  | 'consolesPerUser'
  | 'consolesPerMachine'
>;

/** The policy of one rule. The configuration's limits apply where the rule sets none. */
export function policyOf(
  { policy: { clipboard, limits = {}, record } }: Pick<CompiledRule, 'policy'>,
  defaults: DefaultLimits,
): SessionPolicy {
  const sessionSeconds = limits.sessionSeconds ?? defaults.sessionSeconds;
  // A rule with its own sessionSeconds does not inherit extensions from the configuration.
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
    parkViewSeconds: orNever(limits.parkViewSeconds ?? defaults.parkViewSeconds),
    parkControlSeconds: orNever(limits.parkControlSeconds ?? defaults.parkControlSeconds),
    consolesPerUser: limits.consolesPerUser ?? defaults.consolesPerUser,
    consolesPerMachine: limits.consolesPerMachine ?? defaults.consolesPerMachine,
    record,
  };
}

/** The policy of a console that no rule permits. */
export function defaultPolicy(defaults: DefaultLimits): SessionPolicy {
  return policyOf({ policy: { clipboard: undefined, limits: undefined } }, defaults);
}

/** How long a page of this mode may be hidden until its console is parked. Undefined: it is never parked. */
export function parkSecondsOf(policy: SessionPolicy, mode: 'view' | 'control'): number | undefined {
  const seconds = mode === 'view' ? policy.parkViewSeconds : policy.parkControlSeconds;
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** 0 in the configuration means never, the least restrictive value. */
function orNever(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds;
}

/** Combines two policies: the least restrictive value of each limit, because rules are additive, and the strictest recording. */
export function mostPermissive(a: SessionPolicy, b: SessionPolicy): SessionPolicy {
  return {
    clipboard: combineClipboards(a.clipboard, b.clipboard),
    updatesPerSecond: Math.max(a.updatesPerSecond, b.updatesPerSecond),
    sessionSeconds: Math.max(a.sessionSeconds, b.sessionSeconds),
    maxSessionSeconds: Math.max(a.maxSessionSeconds, b.maxSessionSeconds),
    idleSeconds: Math.max(a.idleSeconds, b.idleSeconds),
    parkViewSeconds: Math.max(a.parkViewSeconds, b.parkViewSeconds),
    parkControlSeconds: Math.max(a.parkControlSeconds, b.parkControlSeconds),
    consolesPerUser: Math.max(a.consolesPerUser, b.consolesPerUser),
    consolesPerMachine: Math.max(a.consolesPerMachine, b.consolesPerMachine),
    record: strictestRecord(a.record, b.record),
  };
}

/** Says whether `b` permits everything that `a` permits. */
export function isAtLeastAsPermissive(a: SessionPolicy, b: SessionPolicy): boolean {
  const combined = mostPermissive(a, b);
  return (Object.keys(b) as (keyof SessionPolicy)[]).every((name) =>
    name === 'record' ? !recordsMore(a.record, b.record) : combined[name] === b[name],
  );
}

function combineClipboards(a: Clipboard, b: Clipboard): Clipboard {
  const permitsIn = [a, b].some((direction) => direction === 'both' || direction === 'in');
  const permitsOut = [a, b].some((direction) => direction === 'both' || direction === 'out');
  if (permitsIn && permitsOut) return 'both';
  if (permitsIn) return 'in';
  return permitsOut ? 'out' : 'none';
}
