import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '@porthole/shared/time/clock';
import type { FrameBatcher } from '@porthole/relay/stream/frame-batcher';
import { createViewer, type Viewer } from '@porthole/relay/viewer/viewer';
import { createViewerSocketServer, type ViewerSocket } from '@porthole/relay/viewer/viewer-socket';

/** The headers of a browser's upgrade request. */
export const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'porthole.v1',
};

const server = createViewerSocketServer({ protocols: ['porthole.v1', 'binary'], closeTimeoutMs: 5000 });

/** Upgrades a connection with the relay's own WebSocket server. */
export function upgrade(connection: Duplex, sockets = server): ViewerSocket {
  let accepted: ViewerSocket | undefined;
  const request = { method: 'GET', url: '/', headers: upgradeHeaders } as unknown as IncomingMessage;
  sockets.handleUpgrade(request, connection, Buffer.alloc(0), (socket) => (accepted = socket));
  if (!accepted) throw new Error('The upgrade was refused.');
  return accepted;
}

export interface MemoryViewer {
  readonly viewer: Viewer;
  readonly connection: Duplex;
  /** Delivers what the browser sends, and waits until it has taken effect. */
  receive(bytes: Buffer): Promise<void>;
  /** Everything that the relay sent after the handshake. */
  sent(): Buffer;
  destroy(): void;
}

/** A viewer whose connection is in memory and takes everything at once: for tests of many short streams. */
export function createMemoryViewer(deps: {
  readonly batcher: FrameBatcher;
  readonly clock: Clock;
  readonly onText?: (text: string) => void;
}): MemoryViewer {
  const written: Buffer[] = [];
  const connection = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  const socket = upgrade(connection);
  written.length = 0;
  const viewer = createViewer({
    socket,
    connection: connection as Socket,
    batcher: deps.batcher,
    clock: deps.clock,
    onText: deps.onText ?? (() => {}),
    pingMs: 20_000,
  });
  return {
    viewer,
    connection,
    receive(bytes) {
      connection.emit('data', Buffer.from(bytes));
      // `ws` reports errors in the next tick.
      return new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
    },
    sent: () => Buffer.concat(written),
    destroy: () => void connection.destroy(),
  };
}
