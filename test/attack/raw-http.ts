import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opens a connection whose errors are ignored; the caller ends it. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Unlike `once`, it ignores errors, which a close follows. */
export function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

/**
 * Sends a request as it stands, and resolves with all that was answered, when the server has closed the connection or
 * `until` is content with the answer.
 */
export async function sendRaw(
  port: number,
  lines: readonly string[],
  options: { readonly body?: string | Buffer; readonly until?: (received: Buffer) => boolean } = {},
): Promise<Buffer> {
  const socket = await openSocket(port);
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (options.until?.(received)) socket.destroy();
  });
  socket.write(
    Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(options.body ?? '')]),
  );
  await whenClosed(socket);
  return received;
}

/** An upgrade request with these further lines. */
export function upgradeLines(...lines: readonly string[]): string[] {
  return [
    'GET /relay/v1/console HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...lines,
  ];
}

/** Whether an unmasked close frame with this code was received. */
export function hasCloseCode(received: Buffer, code: number): boolean {
  return received.includes(Buffer.from([code >> 8, code & 0xff]));
}
