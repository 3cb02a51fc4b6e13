import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import { boundAddress, close, listen, type Address } from './listen.ts';

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** How long a peer may take, in milliseconds. */
export interface PublicServerTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  /** Between two looks at who takes too long. */
  readonly checkIntervalMs: number;
}

const defaultTimeouts: PublicServerTimeouts = { headersMs: 10_000, requestMs: 30_000, checkIntervalMs: 5000 };

/** The port that browsers reach, through whatever ingress. It speaks plain HTTP: TLS ends in front of it. */
export function createPublicServer(deps: {
  readonly listen: Address;
  readonly onRequest: RequestListener;
  readonly onUpgrade?: UpgradeListener;
  readonly timeouts?: PublicServerTimeouts;
}): LifecycleComponent & { address(): Address } {
  const { timeouts = defaultTimeouts } = deps;
  const server = createServer(
    {
      // A peer that sends its request slowly, or never ends it, holds a connection for this long and no longer.
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkIntervalMs,
      maxHeaderSize: 16 * 1024,
      // Longer than the keep-alive of common ingresses, so that they close first and no request meets a closing socket.
      keepAliveTimeout: 75_000,
    },
    deps.onRequest,
  );
  if (deps.onUpgrade) server.on('upgrade', deps.onUpgrade);
  return {
    name: 'public server',
    start: () => listen(server, deps.listen),
    stop: () => close(server),
    address: () => boundAddress(server),
  };
}
