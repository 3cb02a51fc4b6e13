import type { Duplex } from 'node:stream';
import type { ByteSink, ConsoleProgram } from './byte-sink.ts';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machines.ts';

/** Version, security type and challenge response: after this many bytes of the client, its password was used. */
const bytesUntilAuthenticated = 12 + 1 + 16;

/**
 * vncterm, the VNC server that Proxmox starts for a container. Unlike QEMU's server, each has its own password, which
 * does not expire. The fake machine behind it has only one password, so authentications are serialized.
 */
export function vncterm(options: { cluster: Cluster; machine: Machine; password: string }): ConsoleProgram {
  const { cluster, machine, password } = options;
  return (client) => {
    const early: Buffer[] = [];
    let connection: Duplex | undefined;
    let ended = false;
    let received = 0;
    let leaveTurn: (() => void) | undefined;

    const end = () => {
      if (ended) return;
      ended = true;
      leaveTurn?.();
      connection?.destroy();
      client.end();
    };
    const forward = (bytes: Buffer) => {
      received += bytes.length;
      connection?.write(bytes);
      if (received >= bytesUntilAuthenticated) leaveTurn?.();
    };

    const start = async () => {
      if (cluster.isSilent(machine)) return;
      if (!machine.running || !machine.guest) return end();
      leaveTurn = await takeTurn(machine);
      if (ended) return leaveTurn();
      await machine.guest.setPassword(password, 3600);
      const opened = await machine.guest.connect();
      opened.on('error', end);
      opened.on('close', end);
      opened.on('end', end);
      connection = opened;
      if (ended) {
        opened.destroy();
        return;
      }
      opened.on('data', (bytes: Buffer) => !ended && client.data(bytes));
      for (const bytes of early) forward(bytes);
    };
    void start().catch(end);

    return {
      data(bytes) {
        if (ended) return;
        if (connection) forward(bytes);
        else early.push(bytes);
      },
      end,
    } satisfies ByteSink;
  };
}

const turns = new WeakMap<Machine, Promise<void>>();

async function takeTurn(machine: Machine): Promise<() => void> {
  const before = turns.get(machine);
  const turn = Promise.withResolvers<void>();
  turns.set(machine, turn.promise);
  await before;
  return turn.resolve;
}
