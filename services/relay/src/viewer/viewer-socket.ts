import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

/** Largest message of a viewer in bytes: QEMU's limit for a clipboard text (ui/vnc.c), with room for headers. */
export const maxViewerMessageBytes = 1024 * 1024 + 1024;
/** Most fragments of one message. Browsers send one, or a few when a message is very long. */
export const maxViewerFragments = 1024;

const empty = Buffer.alloc(0);

/** What a viewer's WebSocket reports. */
export interface ViewerSocketHandler {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPong(payload: Buffer): void;
  /** The viewer broke the WebSocket protocol or exceeded a limit; `ws` has sent the close frame already. */
  onProtocolError(error: WebSocketError): void;
  /** The connection is closed. `code` is 1006 if the viewer sent no close frame (RFC 6455 section 7.1.5). */
  onClosed(code: number): void;
}

export type WebSocketError = Error & { readonly code?: string };

/** One object per viewer, so the listeners are shared functions that find the handler here. */
export class ViewerSocket extends WebSocket {
  handler: ViewerSocketHandler | undefined;
}

/** Completes the handshake of an upgrade and calls `accept` before it returns, or refuses it with an HTTP status. */
export interface ViewerSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    connection: Duplex,
    head: Buffer,
    accept: (socket: ViewerSocket) => void,
  ): void;
}

/**
 * Creates the WebSocket server for viewers: without compression, and with limits on all that a viewer can make grow.
 */
export function createViewerSocketServer(options: {
  /** Subprotocols that the relay supports, the preferred one first. */
  readonly protocols: readonly string[];
  /** How long a viewer may take to answer the relay's close frame, in milliseconds. */
  readonly closeTimeoutMs: number;
}): ViewerSocketServer {
  const limits = {
    maxPayload: maxViewerMessageBytes,
    maxFragments: maxViewerFragments,
    maxBufferedChunks: 4 * maxViewerFragments,
    maxPendingAutoPongs: 60,
    closeTimeout: options.closeTimeoutMs,
  };
  const server = new WebSocketServer({
    ...limits,
    noServer: true,
    clientTracking: false,
    WebSocket: ViewerSocket,
    perMessageDeflate: false,
    // Only a known subprotocol is echoed, never the one that carries the grant.
    handleProtocols: (offered) => options.protocols.find((name) => offered.has(name)) ?? false,
  });
  return {
    handleUpgrade: (request, connection, head, accept) =>
      server.handleUpgrade(request, connection, head, (socket) => accept(socket)),
  };
}

/** Reports the socket's events to `handler` from now on. */
export function handleViewerSocket(socket: ViewerSocket, handler: ViewerSocketHandler): void {
  socket.handler = handler;
  socket.binaryType = 'fragments';
  socket.on('message', onMessage);
  socket.on('pong', onPong);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  const { handler } = this as ViewerSocket;
  if (isBinary) handler?.onMessage(takeMessage(data as Buffer[]), true);
  else handler?.onMessage(data as Buffer, false);
}

/**
 * The bytes of a message. Empties the array, because `ws` created it when the previous message ended: by now it is among
 * V8's old objects, and would keep the bytes until the next major garbage collection.
 */
function takeMessage(fragments: Buffer[]): Buffer {
  const [first = empty] = fragments;
  const message = fragments.length > 1 ? Buffer.concat(fragments) : first;
  fragments.length = 0;
  return message;
}

function onPong(this: WebSocket, payload: Buffer): void {
  (this as ViewerSocket).handler?.onPong(payload);
}

function onError(this: WebSocket, error: WebSocketError): void {
  // Errors of the network come without such a code and are followed by `close`.
  if (error.code?.startsWith('WS_ERR_')) (this as ViewerSocket).handler?.onProtocolError(error);
}

function onClose(this: WebSocket, code: number): void {
  (this as ViewerSocket).handler?.onClosed(code);
}
