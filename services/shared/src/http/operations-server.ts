import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { LifecycleComponent } from '../process/lifecycle.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One reason after another why a service is not ready; empty when it is. */
export type Readiness = () => Promise<readonly string[]>;

/**
 * The operations port: `/metrics`, `/livez`, `/readyz`. A port of its own, so that an ingress can't expose it.
 */
export function createOperationsServer(deps: {
  readonly listen: Address;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /** What is wrong and yet no reason to get no requests: said where readiness is asked for. */
  readonly notes?: () => readonly string[];
}): LifecycleComponent & { address(): Address } {
  const server: Server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    const path = (request.url ?? '/').split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'text/plain', 'GET only\n');
    else if (path === '/livez') answer(200, 'text/plain', 'ok\n');
    else if (path === '/readyz') {
      void deps.readiness().then(
        (reasons) => {
          const notes = deps.notes?.().map((note) => `${note}\n`) ?? [];
          if (reasons.length === 0) answer(200, 'text/plain', `ok\n${notes.join('')}`);
          else answer(503, 'text/plain', `${reasons.join('\n')}\n`);
        },
        () => answer(503, 'text/plain', 'readiness can not be told\n'),
      );
    } else if (path === '/metrics') {
      void deps.registry.metrics().then(
        (text) => answer(200, deps.registry.contentType, text),
        () => answer(500, 'text/plain', 'metrics can not be read\n'),
      );
    } else answer(404, 'text/plain', 'not found\n');
  });
  server.headersTimeout = 5000;
  return {
    name: 'operations server',
    start: () => listen(server, deps.listen),
    stop: () => close(server),
    address: () => addressOf(server),
  };
}

/** Listens, or rejects with a sentence that names the address. */
export function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        new Error(`Can not listen on ${host}:${port} (${error.code ?? error.message}).`, { cause: error }),
      );
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      // Kept for a next request, a connection whose answer was still under way would outlast `close`.
      server.on('request', (_request, response) => {
        response.once('close', () => {
          if (!server.listening) server.closeIdleConnections();
        });
      });
      resolve();
    });
  });
}

/** Stops accepting, lets idle connections go, and resolves when the last one is closed. */
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

export function addressOf(server: Server): Address {
  const address = server.address() as AddressInfo | null;
  if (address === null) throw new Error('The server does not listen.');
  return { host: address.address, port: address.port };
}
