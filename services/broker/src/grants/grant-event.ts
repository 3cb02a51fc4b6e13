import type { AuditEvent } from '@porthole/shared/audit/events';
import type { GrantClaims } from '@porthole/shared/grant/claims';

/** The audit event of a created grant. `rules`: the names of the access rules that permit it. */
export function grantEvent(
  claims: GrantClaims,
  rules: readonly string[],
  consented: boolean,
): Extract<AuditEvent, { readonly event: 'grant' }> {
  const {
    sessionId,
    user,
    loginRef,
    cluster,
    vmid,
    machineName,
    node,
    type,
    mode,
    kind,
    observer,
    recording,
  } = claims;
  return {
    event: 'grant',
    session: sessionId,
    user: { id: user.id, name: user.name },
    login: loginRef,
    machine: { cluster, vmid, name: machineName, node, type },
    mode,
    kind,
    ...(observer ? { observer } : {}),
    rules: [...rules],
    ...(recording ? { record: recording.mode } : {}),
    ...(consented ? { consent: true } : {}),
  };
}
