import type { Cluster } from './cluster.ts';
import type { HttpRequest } from './http-requests.ts';
import { percentDecode } from './parameters.ts';

export type Authentication =
  /** `user` is the full token ID if a token was used: tickets are bound to it. */
  { user: string; byToken: boolean } | { refused: string };

/** Authenticates a request by cookie, else by Authorization header. A bad cookie is refused even with a valid token. */
export function authenticate(cluster: Cluster, request: HttpRequest): Authentication {
  const hardened = cluster.settings.mode === 'new';
  const authorization = request.headers.get('authorization') ?? '';
  // Only at the start or after a space: `a=b;PVEAuthCookie=...` is ignored.
  const cookie = /(?:^|\s)PVEAuthCookie=([^;]*)/.exec(request.headers.get('cookie') ?? '')?.[1];
  const ticket = cookie ?? /^PVEAuthCookie=(.*)$/.exec(authorization)?.[1];
  if (ticket !== undefined) {
    const user = cluster.tickets.verifySession(percentDecode(ticket));
    if (user === null)
      return { refused: hardened ? 'Authentication failed!' : 'permission denied - invalid PVE ticket' };
    const csrf = request.headers.get('csrfpreventiontoken') ?? '';
    if (request.method !== 'GET' && !cluster.tickets.verifyCsrf(csrf, user)) {
      return { refused: 'Permission denied - invalid csrf token' };
    }
    return { user, byToken: false };
  }
  const given = /^PVEAPIToken[= ](.*)$/.exec(authorization)?.[1];
  if (given === undefined) return { refused: 'No ticket' };
  const [, tokenid, secret] = /^([^=!]+@[^=!]+![^=]+)=(.+)$/.exec(percentDecode(given)) ?? [];
  const token = cluster.tokens.find((candidate) => candidate.tokenid === tokenid);
  if (token && token.secret === secret) return { user: token.tokenid, byToken: true };
  if (hardened) return { refused: 'Authentication failed!' };
  if (tokenid === undefined) return { refused: 'no tokenid specified' };
  const [owner, name] = tokenid.split('!');
  return { refused: token ? 'invalid token value!' : `no such token '${name}' for user '${owner}'` };
}

export const carriesToken = (request: HttpRequest) =>
  /^PVEAPIToken[= ]/.test(request.headers.get('authorization') ?? '') &&
  !/(?:^|\s)PVEAuthCookie=/.test(request.headers.get('cookie') ?? '');
