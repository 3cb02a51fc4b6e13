import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asPortholeError } from '@porthole/shared/errors';
import {
  consolePath,
  consoleProtocol,
  grantProtocolPrefix,
  plainProtocol,
} from '@porthole/shared/protocol/subprotocols';
import type { Presented } from '../session/admit.ts';
import type { RefusedUpgrade } from '../metrics.ts';
import type { BrowserSocket } from './browser-link.ts';
import { acceptingAnswer, keyOf, offeredProtocols } from './upgrade-server.ts';

const retryAfterSeconds = 2;

/** Made once: what is made within a function holds all that the function knew. */
const ignore = () => {};

export interface UpgradeDeps {
  /** Rejects with `rate_limited` when the address has had too many. */
  readonly spend: (request: IncomingMessage) => Promise<void>;
  readonly draining: () => boolean;
  readonly overloaded: () => boolean;
  readonly refused: (why: RefusedUpgrade) => void;
  readonly accept: (browser: BrowserSocket, presented: Presented) => void;
}

/**
 * The door. Only what no honest browser sends, and what must not cost anything, is refused with an HTTP
 * status: a browser shows its page nothing of it but a failed connection. Everything that a person must
 * understand is said after the upgrade, by a typed close.
 */
export function createUpgradeListener(deps: UpgradeDeps) {
  return async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', ignore);
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
    const key = keyOf(request);
    if (typeof key === 'number')
      return refuse('protocol', key, key === 426 ? { 'sec-websocket-version': 13 } : {});
    const offered = offeredProtocols(request.headers);
    // The secret one is never echoed.
    const protocol = [consoleProtocol, plainProtocol].find((name) => offered.includes(name));
    if (protocol === undefined || !(socket instanceof Socket)) return refuse('protocol', 400);
    try {
      await deps.spend(request);
    } catch (thrown) {
      const error = asPortholeError(thrown);
      // A store that is away is no reason to refuse at the door: admission finds out, and says so by a close code.
      if (error.code === 'rate_limited')
        return refuse('rate', 429, { 'retry-after': error.retryAfter ?? retryAfterSeconds });
    }
    if (!socket.writable) return;
    socket.write(acceptingAnswer(key, protocol));
    const secret = offered.find((name) => name.startsWith(grantProtocolPrefix));
    deps.accept(
      { socket, head, protocol },
      { token: secret?.slice(grantProtocolPrefix.length), origin: request.headers.origin },
    );
  };
}
