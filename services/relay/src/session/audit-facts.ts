import type { GrantClaims } from '@porthole/shared/grant/claims';

/** Whose console it is and of which machine, for the audit. */
export function auditFactsOf(claims: GrantClaims, relay: string) {
  const { sessionId, user, loginRef, cluster, vmid, machineName, node, type, mode, kind, observer } = claims;
  return {
    session: sessionId,
    user: { id: user.id, name: user.name },
    login: loginRef,
    machine: { cluster, vmid, name: machineName, node, type },
    mode,
    kind,
    ...(observer ? { observer } : {}),
    relay,
  };
}
