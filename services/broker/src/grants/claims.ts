import type { Limits } from '@porthole/shared/config/schema';
import type { GrantClaims } from '@porthole/shared/grant-claims';
import { lifetimes } from '@porthole/shared/store/keys';
import { displayNameOf, type Machine } from '../machines/machine.ts';
import type { Identity } from '../sign-in/identify.ts';
import type { GrantWish } from './steps.ts';

/** All that the relay will know about a console: it asks nobody again. */
export function claimsOf(facts: {
  readonly sessionId: string;
  readonly identity: Identity;
  readonly machine: Machine;
  readonly wish: GrantWish;
  readonly limits: Limits;
  readonly origins: readonly string[];
  readonly now: number;
  readonly traceparent?: string | undefined;
}): GrantClaims {
  const { identity, machine, wish, limits, now, traceparent } = facts;
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
    limits: {
      sessionSeconds: limits.sessionSeconds,
      idleSeconds: limits.idleSeconds,
      perUser: limits.consolesPerUser,
      perMachine: limits.consolesPerMachine,
      ...(limits.maxSessionSeconds === undefined
        ? {}
        : { extendSeconds: limits.extendSeconds, maxSessionSeconds: limits.maxSessionSeconds }),
    },
    ...(traceparent === undefined ? {} : { traceparent }),
    origins: [...facts.origins],
    issuedAt: now,
    expiresAt: now + lifetimes.grant,
  };
}
