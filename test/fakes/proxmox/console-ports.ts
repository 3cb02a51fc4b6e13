import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ByteSink, ConsoleProgram } from './byte-sink.ts';

export interface Listener {
  readonly vmid: number;
  readonly program: ConsoleProgram;
  /** How long the listener waits for its first client. */
  readonly windowMs: number;
  /** QEMU's and termproxy's listeners take one client; vncterm's takes more and leaves `lingerMs` after the last. */
  readonly lingerMs?: number;
}

/**
 * The TCP ports 5900 to 5999 of one node, which all consoles of all users share. They exist on the node that took the
 * vncproxy call and on no other, which is why the websocket must be opened there too.
 */
export interface ConsolePorts {
  /** Reserves a free port for five seconds, or null when there is none. */
  reserve(): number | null;
  listen(port: number, listener: Listener): void;
  /** Connects to what listens there: the way to it, or null for "connection refused". */
  connect(port: number, client: ByteSink): { vmid: number; backend: ByteSink } | null;
  listening(): number;
}

export function createConsolePorts(options: {
  clock: Clock;
  range: { from: number; to: number };
  reservationMs: number;
}): ConsolePorts {
  const { clock, range, reservationMs } = options;
  const reserved = new Map<number, number>();
  const listeners = new Map<number, Listener & { cancel: Cancel; clients: number }>();

  return {
    reserve() {
      for (let port = range.from; port <= range.to; port++) {
        if (listeners.has(port) || (reserved.get(port) ?? 0) > clock.now()) continue;
        reserved.set(port, clock.now() + reservationMs);
        return port;
      }
      return null;
    },
    listen(port, listener) {
      const cancel = clock.after(listener.windowMs, () => listeners.delete(port));
      listeners.set(port, { ...listener, cancel, clients: 0 });
    },
    connect(port, client) {
      const listener = listeners.get(port);
      if (!listener) return null;
      listener.cancel();
      const { lingerMs } = listener;
      if (lingerMs === undefined) {
        listeners.delete(port);
        return { vmid: listener.vmid, backend: listener.program(client) };
      }
      listener.clients++;
      let left = false;
      const leave = () => {
        if (left) return;
        left = true;
        if (--listener.clients === 0) listener.cancel = clock.after(lingerMs, () => listeners.delete(port));
      };
      const backend = listener.program({
        data: (bytes) => client.data(bytes),
        end() {
          leave();
          client.end();
        },
      });
      return {
        vmid: listener.vmid,
        backend: {
          data: (bytes) => backend.data(bytes),
          end() {
            leave();
            backend.end();
          },
        },
      };
    },
    listening: () => listeners.size,
  };
}
