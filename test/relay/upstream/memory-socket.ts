import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';

/** A TLS socket in memory that takes everything at once. */
export function createMemorySocket() {
  const written: Buffer[] = [];
  const socket = Object.assign(new EventEmitter(), {
    written,
    writable: true,
    destroyed: false,
    readableEnded: false,
    writableLength: 0,
    write: (bytes: Buffer | string) => written.push(Buffer.from(bytes)) > 0,
    pause() {},
    resume() {},
    destroy() {
      socket.destroyed = true;
      socket.writable = false;
    },
  });
  return { socket, tlsSocket: socket as unknown as TLSSocket };
}
