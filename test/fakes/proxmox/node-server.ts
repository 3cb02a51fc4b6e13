import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { NodeCertificate } from './certificates.ts';
import { serveConnection, type Outcome } from './http-connection.ts';
import type { HttpRequest } from './http-requests.ts';

/** One worker process of pveproxy. When it dies, every connection that it had dies with it. */
export interface Worker {
  readonly connections: ReadonlySet<Socket>;
  die(): void;
  /** Ends the worker as an uncaught exception does. A second call does not affect its successor. */
  dieAfter(ms: number): void;
}

/** pveproxy of one node: a TLS port, and workers to which connections are assigned round robin. */
export interface NodeServer {
  readonly port: number;
  listen(address: string, port: number): Promise<void>;
  /** Stops listening and drops all connections, as in a power failure. */
  stop(): Promise<void>;
  killWorker(index?: number): void;
}

export function createNodeServer(options: {
  certificate: NodeCertificate;
  clock: Clock;
  keepAliveMs: number;
  workers: number;
  handle: (request: HttpRequest, worker: Worker) => Promise<Outcome>;
  onRefused: (method: string, path: string, status: number) => void;
}): NodeServer {
  const { clock, keepAliveMs, handle, onRefused } = options;
  const workers = Array.from({ length: options.workers }, () => createWorker(clock));
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  let turn = 0;

  // pveproxy does not support ALPN. TLS 1.2 and 1.3, as Debian's OpenSSL negotiates.
  const tls = createTlsServer({
    cert: options.certificate.certPem,
    key: options.certificate.keyPem,
    minVersion: 'TLSv1.2',
  });
  tls.on('tlsClientError', () => {});
  tls.on('secureConnection', (socket: TLSSocket) => {
    const worker = workers[turn++ % workers.length] ?? createWorker(clock);
    worker.add(socket);
    socket.setNoDelay(true);
    serveConnection({ socket, clock, keepAliveMs, onRefused, handle: (request) => handle(request, worker) });
  });

  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] === 0x16) tls.emit('connection', socket);
      else redirect(socket, first.toString('latin1'));
    });
  };

  return {
    get port() {
      return port;
    },
    async listen(address, wanted) {
      const listening = createServer({ noDelay: true }, accept);
      listening.listen(wanted, address);
      await once(listening, 'listening');
      server = listening;
      const bound = listening.address();
      if (bound && typeof bound === 'object') port = bound.port;
    },
    async stop() {
      const stopping = server;
      server = undefined;
      for (const worker of workers) worker.die();
      for (const socket of sockets) socket.destroy();
      if (stopping) await new Promise((resolve) => stopping.close(resolve));
    },
    killWorker(index) {
      const busiest = workers.reduce((most, one) =>
        one.connections.size > most.connections.size ? one : most,
      );
      (index === undefined ? busiest : workers[index])?.die();
    },
  };
}

/** A dead worker is replaced at once, so the object remains and only its connections end. */
function createWorker(clock: Clock): Worker & { add(socket: Socket): void } {
  const connections = new Set<Socket>();
  let cancelDeath: Cancel | undefined;
  const die = () => {
    cancelDeath?.();
    cancelDeath = undefined;
    for (const socket of connections) socket.destroy();
  };
  return {
    connections,
    add(socket) {
      connections.add(socket);
      socket.on('close', () => connections.delete(socket));
    },
    die,
    dieAfter(ms) {
      cancelDeath ??= clock.after(ms, die);
    },
  };
}

/** Plain HTTP on the TLS port: redirected to https. */
function redirect(socket: Socket, request: string): void {
  const [, method, path = '/'] = /^(\S+) (\S+)/.exec(request) ?? [];
  const host = /^host: *(\S+)/im.exec(request)?.[1] ?? 'localhost';
  const status = method === 'GET' ? '301 Moved Permanently' : '308 Permanent Redirect';
  socket.end(`HTTP/1.1 ${status}\r\nLocation: https://${host}${path}\r\nConnection: close\r\n\r\n`);
}
