import type { GrantClaims } from '@porthole/shared/grant/claims';
import { lifetimes } from '@porthole/shared/store/keys';
import type { RecordPolicy } from '../access/record-policy.ts';
import { parkSecondsOf } from '../access/session-policy.ts';
import type { Identity } from '../identity/identity.ts';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { GrantRequest } from './grant-request.ts';
import type { AuthorisedConsole } from './steps.ts';

/** Builds all that the relay learns about a console. It asks no other service. */
export function buildClaims(facts: {
  readonly sessionId: string;
  readonly identity: Pick<Identity, 'user' | 'loginRef'>;
  readonly machine: Machine;
  readonly request: GrantRequest;
  readonly authorised: AuthorisedConsole;
  /** The classes to which the console belongs. */
  readonly classes: NonNullable<GrantClaims['classes']>;
  readonly follows?: GrantClaims['follows'];
  /** The session that the grant reopens. */
  readonly reopens?: string | undefined;
  /** Length of one extension. */
  readonly extendSeconds: number;
  readonly origins: readonly string[];
  readonly now: number;
  readonly traceparent?: string | undefined;
}): GrantClaims {
  const { identity, machine, request, classes, follows, reopens, now, traceparent } = facts;
  const { policy, validUntil, observer } = facts.authorised;
  const { id, name, displayName, groups } = identity.user;
  const parkSeconds = parkSecondsOf(policy, request.mode);
  return {
    version: 1,
    sessionId: facts.sessionId,
    loginRef: identity.loginRef,
    user: { id, name, ...(displayName === undefined ? {} : { displayName }), groups: [...groups] },
    cluster: machine.cluster,
    node: machine.node,
    type: machine.type,
    vmid: machine.vmid,
    machineName: displayNameOf(machine),
    mode: request.mode,
    kind: request.kind,
    ...(policy.clipboard === 'both' ? {} : { clipboard: policy.clipboard }),
    ...(Number.isFinite(policy.updatesPerSecond) ? { updatesPerSecond: policy.updatesPerSecond } : {}),
    ...(observer ? { observer } : {}),
    ...(policy.record ? { recording: recordingOf(policy.record) } : {}),
    ...(classes.length > 0 ? { classes: [...classes] } : {}),
    ...(request.inputWhenTaken ? { inputWhenTaken: true } : {}),
    ...(follows ? { follows } : {}),
    limits: {
      ...sessionLengths(policy, validUntil === undefined ? undefined : validUntil - now, facts.extendSeconds),
      idleSeconds: policy.idleSeconds,
      ...(parkSeconds === undefined ? {} : { parkSeconds }),
      perUser: policy.consolesPerUser,
      perMachine: policy.consolesPerMachine,
    },
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(reopens === undefined ? {} : { reopens }),
    origins: [...facts.origins],
    issuedAt: now,
    expiresAt: now + lifetimes.grant,
  };
}

function recordingOf(record: RecordPolicy): NonNullable<GrantClaims['recording']> {
  const { mode, keys, clipboard, keepDays, rule, class: ofClass } = record;
  return {
    mode,
    keys,
    clipboard,
    ...(keepDays === undefined ? {} : { keepSeconds: keepDays * 24 * 3600 }),
    rule,
    ...(ofClass === undefined ? {} : { class: ofClass }),
  };
}

/** A console ends when the rules that permit it do. */
function sessionLengths(
  policy: AuthorisedConsole['policy'],
  validMs: number | undefined,
  extendSeconds: number,
): Pick<GrantClaims['limits'], 'sessionSeconds' | 'extendSeconds' | 'maxSessionSeconds'> {
  const validSeconds =
    validMs === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(validMs / 1000));
  const sessionSeconds = Math.min(policy.sessionSeconds, validSeconds);
  const maxSessionSeconds = Math.min(policy.maxSessionSeconds, validSeconds);
  return {
    sessionSeconds,
    ...(maxSessionSeconds > sessionSeconds ? { extendSeconds, maxSessionSeconds } : {}),
  };
}
