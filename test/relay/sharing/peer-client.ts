import { createForwardToken } from '@porthole/relay/sharing/forward-token';
import { createPeerKeys } from '@porthole/relay/sharing/peer-keys';
import { forwardPath } from '@porthole/relay/sharing/peer-messages';
import { peerClientTls } from '@porthole/relay/sharing/peer-tls';
import { systemRandom } from '@porthole/shared/crypto/random';
import { WebSocket } from 'ws';
import { aGrant } from '../rig.ts';
import { grantKey, type ForwardRig } from './forward-rig.ts';

/** A token for a viewer, as a relay with the grant key makes it. */
export function aForwardToken(rig: ForwardRig, to = rig.address): Promise<string> {
  const { store, ownerClock } = rig;
  const deps = { records: store.records, keys: () => [grantKey], random: systemRandom, clock: ownerClock };
  return createForwardToken(deps, to, aGrant(ownerClock));
}

export interface HostilePeer {
  readonly socket: WebSocket;
  readonly texts: string[];
  /** `open`, an HTTP status, or `error`. */
  readonly outcome: Promise<'open' | 'error' | number>;
  /** Code and reason of the end, once it has ended. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
}

/** Connects to the internal listener as a program that has the grant key, or another one. */
export function connectPeer(
  rig: ForwardRig,
  { token, key = grantKey, path = forwardPath }: { token?: string; key?: string; path?: string },
): HostilePeer {
  const socket = new WebSocket(`wss://127.0.0.1:${rig.port}${path}`, {
    ...peerClientTls(createPeerKeys(() => [key])),
    perMessageDeflate: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const texts: string[] = [];
  const outcome = Promise.withResolvers<'open' | 'error' | number>();
  const closed = Promise.withResolvers<readonly [number, string]>();
  socket.on('open', () => outcome.resolve('open'));
  socket.on('message', (data, isBinary) => {
    if (!isBinary) texts.push((data as Buffer).toString());
  });
  socket.on('unexpected-response', (_request, response) => {
    outcome.resolve(response.statusCode ?? 0);
    response.resume();
    response.destroy();
    closed.resolve([0, '']);
  });
  socket.on('error', () => outcome.resolve('error'));
  socket.on('close', (code, reason) => closed.resolve([code, reason.toString()]));
  return { socket, texts, outcome: outcome.promise, closed: closed.promise };
}
