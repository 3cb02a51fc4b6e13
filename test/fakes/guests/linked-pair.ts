import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';

/**
 * Two ends of a wire in memory, with back-pressure. Node's pair leaves one end alone when the other is
 * destroyed; here a viewer that goes is gone for the server too, and a server that goes is to the viewer the end
 * of what it reads, then close, as on a socket.
 */
export function linkedPair(): [server: Duplex, client: Duplex] {
  const [server, client] = duplexPair();
  server.on('error', () => {});
  client.on('error', () => {});
  client.once('close', () => server.destroy());
  server.once('close', () => {
    if (client.destroyed) return;
    if (client.readableEnded) {
      client.destroy();
    } else {
      client.once('end', () => client.destroy());
      client.push(null);
    }
  });
  return [server, client];
}
