import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { asPortholeError } from '@porthole/shared/errors';
import {
  consolePath,
  consoleProtocol,
  grantProtocolPrefix,
  plainProtocol,
} from '@porthole/shared/subprotocols';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Presented } from './admit.ts';
import type { RefusedUpgrade } from './metrics.ts';

/** A viewer's largest message: QEMU's limit for a clipboard text, and its header. */
const maxMessageBytes = 1024 * 1024 + 1024;
const retryAfterSeconds = 2;

export interface UpgradeDeps {
  /** Rejects with `rate_limited` when the address has had too many. */
  readonly spend: (request: IncomingMessage) => Promise<void>;
  readonly draining: () => boolean;
  readonly overloaded: () => boolean;
  readonly refused: (why: RefusedUpgrade) => void;
  readonly accept: (socket: WebSocket, presented: Presented) => void;
}

/**
 * The door. Only what no honest browser sends, and what must not cost anything, is refused with an HTTP
 * status: a browser shows its page nothing of it but a failed connection. Everything that a person must
 * understand is said after the upgrade, by a typed close.
 */
export function createUpgradeListener(deps: UpgradeDeps) {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    // The secret one is never echoed.
    handleProtocols: (offered) => [consoleProtocol, plainProtocol].find((name) => offered.has(name)) ?? false,
  });

  return async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    const refuse = (why: RefusedUpgrade, status: number, headers: Record<string, string | number> = {}) => {
      deps.refused(why);
      const lines = Object.entries({ ...headers, connection: 'close', 'content-length': 0 });
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      );
    };
    if ((request.url ?? '').split('?', 1)[0] !== consolePath) return refuse('path', 404);
    if (deps.draining()) return refuse('draining', 503, { 'retry-after': retryAfterSeconds });
    if (deps.overloaded()) return refuse('overload', 503, { 'retry-after': retryAfterSeconds });
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!offered.includes(consoleProtocol) && !offered.includes(plainProtocol))
      return refuse('protocol', 400);
    try {
      await deps.spend(request);
    } catch (thrown) {
      const error = asPortholeError(thrown);
      // A store that is away is no reason to refuse at the door: admission finds out, and says so by a close code.
      if (error.code === 'rate_limited')
        return refuse('rate', 429, { 'retry-after': error.retryAfter ?? retryAfterSeconds });
    }
    if (socket.destroyed) return;
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const secret = offered.find((name) => name.startsWith(grantProtocolPrefix));
      deps.accept(webSocket, {
        token: secret?.slice(grantProtocolPrefix.length),
        origin: request.headers.origin,
      });
    });
  };
}
