import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { boundAddress, listen, type Address } from '@porthole/shared/http/listen';
import type { PeerKeys } from './peer-keys.ts';
import { peerServerTls } from './peer-tls.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

/** Limits for slow peers, in milliseconds, and for their number. */
export interface InternalServerLimits {
  /** For the TLS handshake, and then for the head of the request. */
  readonly handshakeMs: number;
  /** Interval at which the limit of the request is checked. */
  readonly checkIntervalMs: number;
  /** Most connections that have not been upgraded. At the limit, a new one replaces the oldest. */
  readonly maxUnfinished: number;
}

const defaultLimits: InternalServerLimits = { handshakeMs: 2000, checkIntervalMs: 1000, maxUnfinished: 128 };

/** A request between relays has a few short headers. */
const maxHeaderBytes = 4096;

export interface InternalServer {
  start(): Promise<void>;
  address(): Address;
  /** Stops accepting connections, and destroys those that have not been upgraded. */
  stop(): void;
}

/**
 * The server for other relays, on a port of its own. A peer that does not know a grant key fails in the TLS handshake,
 * before an HTTP parser sees a byte. `onUpgrade` owns the connection that it is called with.
 */
export function createInternalServer(deps: {
  readonly listen: Address;
  readonly keys: PeerKeys;
  readonly metrics: Pick<SharingMetrics, 'connectionRefused'>;
  readonly onUpgrade: (request: IncomingMessage, connection: Duplex, head: Buffer) => void;
  readonly limits?: InternalServerLimits;
}): InternalServer {
  const { metrics, limits = defaultLimits } = deps;
  const server: Server = createServer(
    {
      ...peerServerTls(deps.keys),
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.handshakeMs,
      requestTimeout: limits.handshakeMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.handshakeMs,
      maxHeaderSize: maxHeaderBytes,
    },
    (_request, response) => {
      metrics.connectionRefused('request');
      response.writeHead(404, { connection: 'close' }).end();
    },
  );
  const unfinished = new UnfinishedConnections(limits.maxUnfinished, () =>
    metrics.connectionRefused('evicted'),
  );
  server.on('connection', (socket: Socket) => unfinished.add(socket));
  server.on('tlsClientError', (_error, socket) => {
    metrics.connectionRefused('handshake');
    socket.destroy();
  });
  server.on('clientError', (_error, socket) => {
    metrics.connectionRefused('request');
    socket.destroy();
  });
  server.on('upgrade', (request, connection, head) => {
    unfinished.finished(request.socket);
    deps.onUpgrade(request, connection, head);
  });
  return {
    start: () => listen(server, deps.listen, 'sharing.internalListen'),
    address: () => boundAddress(server),
    stop() {
      server.close();
      unfinished.destroyAll();
    },
  };
}

/** TCP connections before their upgrade. A relay needs a few milliseconds for it, so the oldest is the least useful. */
class UnfinishedConnections {
  readonly #max: number;
  readonly #onEvicted: () => void;
  /** In the order of their arrival, by their peer: the upgrade has another object for the same connection. */
  readonly #sockets = new Map<string, Socket>();

  constructor(max: number, onEvicted: () => void) {
    this.#max = max;
    this.#onEvicted = onEvicted;
  }

  add(socket: Socket): void {
    const peer = peerOf(socket);
    const [oldest] = this.#sockets.values();
    if (oldest && this.#sockets.size >= this.#max) {
      this.#onEvicted();
      this.#sockets.delete(peerOf(oldest));
      oldest.destroy();
    }
    // Its errors are followed by the close.
    socket.on('error', () => {});
    this.#sockets.set(peer, socket);
    socket.once('close', () => {
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
    });
  }

  finished(socket: Socket): void {
    this.#sockets.delete(peerOf(socket));
  }

  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
