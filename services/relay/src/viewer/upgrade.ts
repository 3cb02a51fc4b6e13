import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asPortholeError } from '@porthole/shared/errors';
import { withoutBasePath } from '@porthole/shared/http/base-path';
import { grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import type { ViewerConnections } from './viewer-connections.ts';
import { createViewerSocketServer, type ViewerSocket } from './viewer-socket.ts';

/** What a browser presents when it connects. */
export interface UpgradeCredentials {
  /** The grant's token, from the secret subprotocol; undefined if there was none. */
  readonly token: string | undefined;
  readonly origin: string | undefined;
}

export type RefusedUpgrade = 'path' | 'protocol' | 'rate' | 'overload' | 'draining';

/** What the relay serves at one path. */
export interface Endpoint {
  /** Below the base path. */
  readonly path: string;
  /** Its subprotocols, the preferred one first. */
  readonly protocols: readonly string[];
  /** Takes over the WebSocket of an accepted upgrade. */
  readonly accept: (socket: ViewerSocket, connection: Socket, credentials: UpgradeCredentials) => void;
}

const retryAfterSeconds = 2;

export interface UpgradeDeps {
  /** Of the public URL. Some proxies remove it. */
  readonly basePath: string;
  /** Rejects with `rate_limited` if the client's address exceeds its limit. */
  readonly limitRate: (request: IncomingMessage) => Promise<void>;
  readonly connections: ViewerConnections;
  /** Most connections at once, including those that are being refused or closed. */
  readonly maxConnections: number;
  readonly draining: () => boolean;
  /** How long a viewer may take to answer the relay's close frame, in milliseconds. */
  readonly closeTimeoutMs: number;
  readonly onRefused: (reason: RefusedUpgrade) => void;
  readonly endpoints: readonly Endpoint[];
}

/**
 * Accepts or refuses upgrades. A refused upgrade gets an HTTP status, but a browser tells its page only that the
 * connection failed. So only requests that no browser sends, and those above a limit, are refused like this; any other
 * error is sent after the upgrade, as a close code.
 */
export function createUpgradeListener(deps: UpgradeDeps) {
  const { connections, closeTimeoutMs } = deps;
  const endpoints = new Map(
    deps.endpoints.map(({ path, protocols, accept }) => {
      const server = createViewerSocketServer({ protocols, closeTimeoutMs });
      return [path, { protocols, accept, server }] as const;
    }),
  );

  return async function onUpgrade(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    const overloaded = connections.size >= deps.maxConnections;
    connections.add(connection);
    const refuse = (reason: RefusedUpgrade, status: number, retryAfter?: number) => {
      deps.onRefused(reason);
      connections.setState(connection, 'closing');
      refuseUpgrade(connection, status, retryAfter);
    };
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const endpoint = endpoints.get(withoutBasePath(deps.basePath, path) ?? '');
    if (!endpoint) return refuse('path', 404);
    if (deps.draining()) return refuse('draining', 503, retryAfterSeconds);
    if (overloaded) return refuse('overload', 503, retryAfterSeconds);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!(connection instanceof Socket) || !endpoint.protocols.some((name) => offered.includes(name)))
      return refuse('protocol', 400);
    try {
      await deps.limitRate(request);
    } catch (caught) {
      const error = asPortholeError(caught);
      // If the store is unavailable, admission fails with a close code.
      if (error.code === 'rate_limited') return refuse('rate', 429, error.retryAfter ?? retryAfterSeconds);
    }

    let accepted = false;
    const grantProtocol = offered.find((name) => name.startsWith(grantProtocolPrefix));
    // Calls back before it returns, or refuses a malformed handshake with an HTTP status itself.
    endpoint.server.handleUpgrade(request, connection, head, (socket) => {
      accepted = true;
      endpoint.accept(socket, connection, {
        token: grantProtocol?.slice(grantProtocolPrefix.length),
        origin: request.headers.origin,
      });
    });
    if (accepted) return;
    deps.onRefused('protocol');
    connections.setState(connection, 'closing');
  };
}

/** Answers with an HTTP status and closes the connection, even if the client keeps its side open. */
function refuseUpgrade(connection: Duplex, status: number, retryAfter?: number): void {
  const headers = [
    'Connection: close',
    'Content-Length: 0',
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
  ];
  connection.once('finish', () => connection.destroy());
  connection.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n`);
}
