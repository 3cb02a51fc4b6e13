import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LifecycleComponent } from '../process/lifecycle.ts';
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
  readonly timeouts?: PublicServerTimeouts;
}): LifecycleComponent & { address(): Address } {
  const { timeouts = defaultTimeouts } = deps;
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
  if (deps.onUpgrade) server.on('upgrade', deps.onUpgrade);
  return {
    name: 'public server',
    start: () => listen(server, deps.listen, 'listen'),
    stop: () => close(server),
    address: () => boundAddress(server),
  };
}
