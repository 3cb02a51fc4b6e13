import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between browser and relay that can lose every packet without closing a connection. */
export interface BlackHole {
  readonly port: number;
  /** From now on nothing arrives at the other side, and nothing is closed. New connections get no answer. */
  open(): void;
  /** The network is back. TCP delivers what was sent meanwhile. */
  close(): void;
  /** Connections that were made while it was open. */
  readonly swallowed: number;
  stop(): Promise<void>;
}

export async function startBlackHole(target: () => number): Promise<BlackHole> {
  const sockets = new Set<Socket>();
  let isOpen = false;
  let swallowed = 0;

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (isOpen) socket.pause();
  }

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (browser) => {
    const relay = connect({ port: target(), host: '127.0.0.1', allowHalfOpen: true });
    if (isOpen) swallowed += 1;
    for (const [from, to] of [
      [browser, relay],
      [relay, browser],
    ] as const) {
      from.on('data', (chunk: Buffer) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('close', () => to.destroy());
      keep(from);
    }
    if (!isOpen) browser.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    open() {
      isOpen = true;
      for (const socket of sockets) socket.pause();
    },
    close() {
      isOpen = false;
      for (const socket of sockets) socket.resume();
    },
    get swallowed() {
      return swallowed;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
