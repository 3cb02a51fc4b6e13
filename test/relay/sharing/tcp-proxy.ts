import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between two relays, which a test can break. */
export interface TcpProxy {
  readonly port: number;
  /** Bytes from the server to its clients so far. */
  bytesToClient(): number;
  /** Connections that were made so far. */
  connections(): number;
  /** Nothing passes any more, and all connections stay open: a host without power, or a stopped process. */
  freeze(): void;
  /** Ends all connections with RST, as a killed process does. */
  reset(): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(targetPort: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let bytesToClient = 0;
  let connections = 0;
  let frozen = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections++;
    keep(client);
    if (frozen) return;
    const target = connect({ port: targetPort(), host: '127.0.0.1', allowHalfOpen: true });
    keep(target);
    target.on('data', (chunk) => {
      if (!frozen) bytesToClient += chunk.length;
    });
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('data', (chunk) => {
        if (frozen) return;
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => from.resume());
      from.on('end', () => frozen || to.end());
      from.on('close', () => frozen || to.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytesToClient: () => bytesToClient,
    connections: () => connections,
    freeze: () => (frozen = true),
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
