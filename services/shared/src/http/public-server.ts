import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import { HttpConnections } from './http-connections.ts';
import { boundAddress, close, listen, type Address } from './listen.ts';

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Limits for slow clients, in milliseconds. */
export interface PublicServerTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  /** Interval at which the limits are checked. */
  readonly checkIntervalMs: number;
}

const defaultTimeouts: PublicServerTimeouts = { headersMs: 10_000, requestMs: 30_000, checkIntervalMs: 5000 };

/** Serves the public port in plain HTTP. The ingress in front of it terminates TLS. */
export function createPublicServer(deps: {
  readonly listen: Address;
  readonly onRequest: RequestListener;
  readonly onUpgrade?: UpgradeListener;
  /** Maximum number of HTTP connections, without upgraded ones. */
  readonly maxConnections: number;
  readonly registry: Registry;
  readonly timeouts?: PublicServerTimeouts;
}): LifecycleComponent & { address(): Address } {
  const { timeouts = defaultTimeouts, onUpgrade } = deps;
  const connections = new HttpConnections({ max: deps.maxConnections, registry: deps.registry });
  const server = createServer(
    {
      // Limits how long a client that never completes its request holds a connection.
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkIntervalMs,
      maxHeaderSize: 16 * 1024,
      // Longer than the keep-alive of common ingresses, so that the ingress closes first and no request is lost.
      keepAliveTimeout: 75_000,
    },
    deps.onRequest,
  );
  connections.watch(server);
  if (onUpgrade)
    server.on('upgrade', (request, socket, head) => {
      if (socket instanceof Socket) connections.release(socket);
      onUpgrade(request, socket, head);
    });
  return {
    name: 'public server',
    start: () => listen(server, deps.listen, 'listen'),
    stop: () => close(server),
    address: () => boundAddress(server),
  };
}
