import type { Cancel, Clock } from '@porthole/shared/time/clock';
import type { ByteSink, ConsoleProgram } from './byte-sink.ts';

export interface Listener {
  readonly vmid: number;
  readonly program: ConsoleProgram;
  /** How long the listener waits for its first client. */
  readonly windowMs: number;
  /** Listeners of QEMU and termproxy accept one client; vncterm accepts more and ends `lingerMs` after the last one. */
  readonly lingerMs?: number;
}

/**
 * The TCP ports 5900 to 5999 of one node, which all consoles of all users share. A port exists only on the node that
 * received the vncproxy call, so the WebSocket must be opened there.
 */
export interface ConsolePorts {
  /** Reserves a free port for five seconds. Returns null if there is none. */
  reserve(): number | null;
  listen(port: number, listener: Listener): void;
  /** Connects to the listener of the port. Returns null for "connection refused". */
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
