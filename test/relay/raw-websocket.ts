import { connect, type Socket } from 'node:net';

/** A TCP connection to the relay that was upgraded by hand, so that a test can send invalid frames. */
export interface RawWebSocket {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** The last 64 KiB that the relay sent. */
  received(): Buffer;
}

/** Connects and upgrades. Resolves with the response, or when the relay has closed the connection. */
export async function openRawWebSocket(
  url: string,
  options: { token?: string; origin: string },
): Promise<RawWebSocket> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {});
  const protocols = [
    'porthole.v1',
    ...(options.token === undefined ? [] : [`porthole.grant.${options.token}`]),
  ];
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${options.origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${protocols.join(', ')}\r\n\r\n`,
  );
  let received = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.on('end', () => socket.end());
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]).subarray(-64 * 1024);
      if (received.includes('\r\n\r\n')) resolve();
    });
    void closed.then(resolve);
  });
  return { socket, closed, received: () => received };
}
