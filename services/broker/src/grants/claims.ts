import type { GrantClaims } from '@porthole/shared/grant/claims';
import { lifetimes } from '@porthole/shared/store/keys';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { Identity } from '../identity/identity.ts';
import type { Authorised, GrantWish } from './steps.ts';

/** All that the relay will know about a console: it asks nobody again. */
export function claimsOf(facts: {
  readonly sessionId: string;
  readonly identity: Pick<Identity, 'user' | 'loginRef'>;
  readonly machine: Machine;
  readonly wish: GrantWish;
  readonly authorised: Authorised;
  /** How much longer an extension makes a session. */
  readonly extendSeconds: number;
  readonly origins: readonly string[];
  readonly now: number;
  readonly traceparent?: string | undefined;
}): GrantClaims {
  const { identity, machine, wish, now, traceparent } = facts;
  const { terms, until, observer } = facts.authorised;
  // A console ends when the rules that it rests on do.
  const secondsLeft =
    until === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil((until - now) / 1000));
  const sessionSeconds = Math.min(terms.sessionSeconds, secondsLeft);
  const maxSessionSeconds = Math.min(terms.maxSessionSeconds, secondsLeft);
  const { id, name, displayName, groups } = identity.user;
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
    mode: wish.mode,
    kind: wish.kind,
    ...(terms.clipboard === 'both' ? {} : { clipboard: terms.clipboard }),
    ...(Number.isFinite(terms.updatesPerSecond) ? { updatesPerSecond: terms.updatesPerSecond } : {}),
    ...(observer ? { observer } : {}),
    limits: {
      sessionSeconds,
      idleSeconds: terms.idleSeconds,
      perUser: terms.consolesPerUser,
      perMachine: terms.consolesPerMachine,
      ...(maxSessionSeconds > sessionSeconds
        ? { extendSeconds: facts.extendSeconds, maxSessionSeconds }
        : {}),
    },
    ...(traceparent === undefined ? {} : { traceparent }),
    origins: [...facts.origins],
    issuedAt: now,
    expiresAt: now + lifetimes.grant,
  };
}
