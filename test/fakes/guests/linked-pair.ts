import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';

/**
 * Two connected streams in memory, with back-pressure. Unlike with Node's pair, destroying one end ends the other, as on a
 * socket: the server's end is destroyed, and the viewer's end reads its end and then closes.
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
