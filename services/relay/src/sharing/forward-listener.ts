import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RandomBytes } from '@porthole/shared/crypto/random';
import type { SealKeys } from '@porthole/shared/crypto/seal';
import { PortholeError } from '@porthole/shared/errors';
import type { Address } from '@porthole/shared/http/listen';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { RecordStore } from '@porthole/shared/store/ports';
import type { Clock } from '@porthole/shared/time/clock';
import { WebSocketServer, type WebSocket } from 'ws';
import { staggerDrain } from '../session/stagger-drain.ts';
import type { AcceptForwarded, RelayAddress } from './contracts.ts';
import { ForwardedViewer } from './forwarded-viewer.ts';
import { createInternalServer, type InternalServerLimits } from './internal-server.ts';
import { peerSocketOptions } from './peer-connection.ts';
import { createPeerKeys } from './peer-keys.ts';
import { forwardPath } from './peer-messages.ts';
import { createRequestRate } from './request-rate.ts';
import type { SharingMetrics } from './sharing-metrics.ts';

/** Requests of all relays together. A relay that drains sends the viewers of a full relay here within seconds. */
const requestRate = { burst: 1000, perSecond: 200 };
/** What is left to do after the last viewer was told to move. */
const drainGraceMs = 10_000;

export interface ForwardListenerDeps {
  readonly listen: Address;
  /** The address under which other relays reach this one, as the owner records have it. */
  readonly address: RelayAddress;
  readonly records: Pick<RecordStore, 'take'>;
  readonly keys: SealKeys;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly metrics: SharingMetrics;
  readonly accept: AcceptForwarded;
  /** Most forwarded viewers at once. */
  readonly maxViewers: number;
  /** Over how long a drain is spread, in milliseconds. */
  readonly drainMs: number;
  readonly serverLimits?: InternalServerLimits;
  readonly rate?: { readonly burst: number; readonly perSecond: number };
}

/** Serves the viewers that other relays forward to consoles of this one. */
export interface ForwardListener extends LifecycleComponent {
  /** The address it listens at. */
  boundAddress(): Address;
  /**
   * Refuses new viewers, and ends those that are there with `screen_moved`, spread over `drainMs`. Resolves when all are
   * gone. Idempotent. `stop` does it as well: call it before, to drain together with the sessions of this relay.
   */
  drain(): Promise<void>;
}

export function createForwardListener(deps: ForwardListenerDeps): ForwardListener {
  const { clock, metrics } = deps;
  const viewers = new Set<ForwardedViewer>();
  const mayRequest = createRequestRate(clock, deps.rate ?? requestRate);
  const webSockets = new WebSocketServer({ ...peerSocketOptions, noServer: true, clientTracking: false });
  const server = createInternalServer({
    listen: deps.listen,
    keys: createPeerKeys(deps.keys),
    metrics,
    onUpgrade,
    ...(deps.serverLimits ? { limits: deps.serverLimits } : {}),
  });
  let draining: Promise<void> | undefined;

  function onUpgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    // Its errors are followed by the close.
    connection.on('error', () => {});
    const token = /^Bearer ([\w-]{1,64})$/.exec(request.headers.authorization ?? '')?.[1];
    if (request.url !== forwardPath || token === undefined || !(connection instanceof Socket)) {
      metrics.connectionRefused('request');
      refuse(connection, 400);
    } else if (!mayRequest()) {
      metrics.connectionRefused('rate');
      refuse(connection, 429);
    } else if (viewers.size >= deps.maxViewers) {
      metrics.connectionRefused('limit');
      refuse(connection, 503);
    } else webSockets.handleUpgrade(request, connection, head, (socket) => start(socket, connection, token));
  }

  function start(socket: WebSocket, connection: Socket, token: string): void {
    connection.setNoDelay(true);
    const viewer = new ForwardedViewer({ ...deps, socket, connection, token });
    viewers.add(viewer);
    void viewer.done.then(() => viewers.delete(viewer));
    if (draining) viewer.end(new PortholeError('screen_moved'));
  }

  async function drainAll(): Promise<void> {
    await staggerDrain(deps, [...viewers], deps.drainMs, (viewer) =>
      viewer.end(new PortholeError('screen_moved')),
    );
    await Promise.all([...viewers].map(({ done }) => done));
  }

  function drain(): Promise<void> {
    draining ??= drainAll();
    return draining;
  }

  return {
    name: 'forwarded viewers',
    stopTimeoutMs: deps.drainMs + drainGraceMs,
    start: () => server.start(),
    async stop() {
      await drain();
      server.stop();
    },
    boundAddress: () => server.address(),
    drain,
  };
}

/** Answers with an HTTP status and closes the connection, even if the peer keeps its side open. */
function refuse(connection: Duplex, status: number): void {
  connection.once('finish', () => connection.destroy());
  connection.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
