import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Counts the HTTP connections of a server and limits their number. At the limit, a new connection replaces the one that
 * has been idle longest, so that clients that open connections and send nothing do not keep others out. If a request is
 * in progress on each of them, the new connection is closed. An upgraded connection counts no more: it belongs to the
 * listener of the upgrade.
 */
export class HttpConnections {
  readonly #max: number;
  readonly #open: Gauge;
  readonly #closed: Counter<'reason'>;
  /** Each with its number of requests in progress; idle ones in the order in which they became idle. */
  readonly #requests = new Map<Socket, number>();

  constructor({ max, registry }: { readonly max: number; readonly registry: Registry }) {
    this.#max = max;
    this.#open = new Gauge({
      name: 'porthole_http_connections',
      help: 'Open HTTP connections of the public port, without consoles.',
      registers: [registry],
    });
    this.#closed = new Counter({
      name: 'porthole_http_connections_closed_total',
      help: 'HTTP connections closed at limits.httpConnections: `idle` ones to accept others, or `new` ones, because all were busy.',
      labelNames: ['reason'],
      registers: [registry],
    });
    for (const reason of ['idle', 'new']) this.#closed.inc({ reason }, 0);
  }

  /** Counts the server's connections from now on. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#add(socket));
    server.on('request', ({ socket }, response) => {
      this.#change(socket, 1);
      response.once('close', () => this.#change(socket, -1));
    });
  }

  /** The connection was upgraded or closed. */
  release(socket: Socket): void {
    this.#requests.delete(socket);
    this.#open.set(this.#requests.size);
  }

  #add(socket: Socket): void {
    if (this.#requests.size >= this.#max && !this.#closeIdle()) {
      this.#closed.inc({ reason: 'new' });
      socket.destroy();
      return;
    }
    this.#requests.set(socket, 0);
    this.#open.set(this.#requests.size);
    socket.once('close', () => this.release(socket));
  }

  #closeIdle(): boolean {
    for (const [socket, count] of this.#requests) {
      if (count > 0) continue;
      this.release(socket);
      this.#closed.inc({ reason: 'idle' });
      socket.destroy();
      return true;
    }
    return false;
  }

  #change(socket: Socket, by: 1 | -1): void {
    const count = this.#requests.get(socket);
    if (count === undefined) return;
    // Set anew, so that it becomes the last in order.
    this.#requests.delete(socket);
    this.#requests.set(socket, count + by);
  }
}
