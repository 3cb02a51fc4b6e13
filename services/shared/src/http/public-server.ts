import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LifecycleComponent } from '../process/lifecycle.ts';
import { addressOf, close, listen, type Address } from './operations-server.ts';

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** How long a peer may take, in milliseconds. */
export interface PublicServerPatience {
  readonly headersMs: number;
  readonly requestMs: number;
  /** Between two looks at who takes too long. */
  readonly lookMs: number;
}

const usual: PublicServerPatience = { headersMs: 10_000, requestMs: 30_000, lookMs: 5000 };

/** The port that browsers reach, through whatever ingress. It speaks plain HTTP: TLS ends in front of it. */
export function createPublicServer(deps: {
  readonly listen: Address;
  readonly onRequest: RequestListener;
  readonly onUpgrade?: UpgradeListener;
  readonly patience?: PublicServerPatience;
}): LifecycleComponent & { address(): Address } {
  const { patience = usual } = deps;
  const server = createServer(
    {
      // A peer that sends its request slowly, or never ends it, holds a connection for this long and no longer.
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: patience.lookMs,
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
    address: () => addressOf(server),
  };
}
