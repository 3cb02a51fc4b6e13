import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';

/**
 * Two ends of a wire in memory, with back-pressure. Node's pair leaves one end alone when the other is
 * destroyed; here that reaches the other end as it does on a socket: as the end of what it reads, then close.
 */
export function linkedPair(): [server: Duplex, client: Duplex] {
  const [server, client] = duplexPair();
  for (const [one, other] of [
    [server, client],
    [client, server],
  ] as const) {
    one.on('error', () => {});
    one.once('close', () => {
      if (other.destroyed) return;
      if (other.readableEnded) {
        other.destroy();
      } else {
        other.once('end', () => other.destroy());
        other.push(null);
      }
    });
  }
  return [server, client];
}
