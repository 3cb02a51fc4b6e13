import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import type { Grant } from '../../api.ts';

/** A grant to go on with: the same session, at the same address, with the token that the relay handed out. */
export function resumeGrant(grant: Grant, token: string): Grant {
  return { ...grant, protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`] };
}
