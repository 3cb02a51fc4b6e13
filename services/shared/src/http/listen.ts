import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Starts listening. Rejects with an error that contains the address. */
export function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        new Error(`Cannot listen on ${host}:${port} (${error.code ?? error.message}).`, { cause: error }),
      );
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      // A keep-alive connection whose response was in flight during `close` would stay open.
      server.on('request', (_request, response) => {
        response.once('close', () => {
          if (!server.listening) server.closeIdleConnections();
        });
      });
      resolve();
    });
  });
}

/** Stops accepting connections, closes idle ones, and resolves when the last one is closed. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

export function boundAddress(server: Server): Address {
  const address = server.address() as AddressInfo | null;
  if (address === null) throw new Error('The server does not listen.');
  return { host: address.address, port: address.port };
}
