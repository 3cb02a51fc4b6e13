import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../process/start-error.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Starts listening. Rejects with a StartError that contains the address, the cause, and the name of the setting. */
export function listen(
  server: Server,
  { host, port }: Address,
  setting: 'listen' | 'operationsListen' | 'sharing.internalListen',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(`Cannot listen on ${host}:${port}: ${causeAndRemedy(error, setting)}`, {
          cause: error,
        }),
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

function causeAndRemedy(error: NodeJS.ErrnoException, setting: string): string {
  if (error.code === 'EADDRINUSE')
    return `another program uses this address (EADDRINUSE). Stop it, or change ${setting}.`;
  if (error.code === 'EACCES')
    return `no permission (EACCES). Ports below 1024 need a privilege: set ${setting} to another port.`;
  return `${error.code ?? error.message}. Set ${setting} to an address of this computer.`;
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
